-- One row per subject about which a person's last decision, known before the as-of date, still holds and is no mere
-- acceptance. An order that was decided has done its work once the product is ordered for the site.
create or replace temp table standing_decisions as
with latest as (
    select * exclude (decided_at), staging.business_date(decided_at) as decided_date
    from raw.decisions
    where staging.business_date(decided_at) < getvariable('as_of_date')
    qualify row_number() over (
        partition by head, product_id, site_id, user_id, promotion_id, order_id, channel, contact_reason
        order by decided_at desc, decision_id desc
    ) = 1
)
select *
from latest
where action <> 'accepted'
    and valid_until > getvariable('as_of_date')
    and not (
        head = 'supply'
        and action = 'overridden'
        and exists (
            select 1
            from raw.purchase_order_lines as lines
            where lines.product_id = latest.product_id
                and latest.site_id in (lines.ship_to_site_id, 'all')
                and staging.business_date(lines.ordered_at) >= decided_date
                and staging.business_date(lines.ordered_at) < getvariable('as_of_date')
        )
    );

-- One row per product that is in no list, or in none of one user's.
create or replace temp view rejected_products as
select product_id, user_id from standing_decisions where head = 'recommendation' and action = 'rejected'
