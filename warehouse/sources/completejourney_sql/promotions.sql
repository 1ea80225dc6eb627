-- One row per retail week, place in the store and place in the mailer.
with displays (display_location, display) as (
    values
    ('0', null), ('1', 'store front'), ('2', 'store rear'), ('3', 'front end cap'), ('4', 'mid-aisle end cap'),
    ('5', 'rear end cap'), ('6', 'side-aisle end cap'), ('7', 'in-aisle'), ('9', 'secondary location'),
    ('A', 'in-shelf')
),

mailers (mailer_location, mailer) as (
    values
    ('0', null), ('A', 'interior page feature'), ('C', 'interior page line item'), ('D', 'front page feature'),
    ('F', 'back page feature'), ('H', 'wrap front feature'), ('J', 'wrap interior coupon'),
    ('L', 'wrap back feature'), ('P', 'interior page coupon'), ('X', 'free on interior page'),
    ('Z', 'free on front page, back page or wrap')
),

plan as (
    select distinct week, display_location, mailer_location
    from cj_promotions
    semi join cj_wanted on cj_wanted.part::bigint = week
)

select
    concat_ws('-', week, display_location, mailer_location) as promotion_id,
    cj_midnight(cj_first_day(week) - 28) as announced_at,
    cj_midnight(cj_first_day(week)) as starts_at,
    cj_midnight(cj_day_after(week)) as ends_at,
    'placement' as discount_type,
    case
        when mailer_location = '0' then 'display'
        when display_location = '0' then 'mailer'
        else 'display_mailer'
    end as channel,
    concat_ws('; ', display, mailer) as placement,
    input_name as _input_name
from plan
left join displays using (display_location)
left join mailers using (mailer_location)
join cj_wanted on cj_wanted.part::bigint = week
