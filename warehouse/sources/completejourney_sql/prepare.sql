-- What every mapping of this source stands on: the package's files, its calendar, its baskets, and its parts.

create or replace temp view cj_transactions as from read_parquet(getvariable('cj_folder') || '/transactions.parquet');
create or replace temp view cj_products as from read_parquet(getvariable('cj_folder') || '/products.parquet');
create or replace temp view cj_demographics as from read_parquet(getvariable('cj_folder') || '/demographics.parquet');
create or replace temp view cj_promotions as from read_parquet(getvariable('cj_folder') || '/promotions.parquet');
create or replace temp view cj_coupons as from read_parquet(getvariable('cj_folder') || '/coupons.parquet');
create or replace temp view cj_targets as from read_parquet(getvariable('cj_folder') || '/campaigns.parquet');
create or replace temp view cj_redemptions as
    from read_parquet(getvariable('cj_folder') || '/coupon_redemptions.parquet');
create or replace temp view cj_campaigns as
    select campaign_id, campaign_type, start_date::date as first_day, end_date::date as last_day
    from read_parquet(getvariable('cj_folder') || '/campaign_descriptions.parquet');

-- Stored moments are UTC, but the shops live in New York: by UTC dates one line in six lies on the wrong day.
create or replace temp macro cj_business_date(moment) as
    timezone('America/New_York', timezone('UTC', moment))::date;
create or replace temp macro cj_midnight(business_date) as
    timezone('UTC', timezone('America/New_York', business_date::timestamp));

-- Retail weeks run from Monday to Sunday; week 1 is 1 January 2017 alone.
create or replace temp macro cj_first_day(week) as
    date '2017-01-01' + greatest(7 * (week - 2) + 1, 0)::integer;
create or replace temp macro cj_day_after(week) as
    date '2017-01-01' + (7 * (week - 1) + 1)::integer;

-- One row per basket. All its lines share household, store and moment, so the date is worked out once.
create or replace temp table cj_baskets as
with totals as (
    select
        basket_id,
        any_value(household_id) as household_id,
        any_value(store_id) as store_id,
        any_value(transaction_timestamp) as ordered_at,
        sum(sales_value::decimal(18, 4)) as received,
        sum(retail_disc::decimal(18, 4)) + sum(coupon_match_disc::decimal(18, 4)) as discounted,
        bool_or(coupon_match_disc > 0) as has_matched_coupon,
        bool_or(coupon_disc > 0) as has_coupon
    from cj_transactions
    group by basket_id
)
select *, cj_business_date(ordered_at) as business_date
from totals;

-- One row per part of the year that a shop would have landed at once; a night of `lands_on` or later knows it.
create or replace temp table cj_parts as
with business_days as (
    select unnest(range(min(business_date), max(business_date) + 1, interval 1 day))::date as business_day
    from cj_baskets
),

weeks as (
    select distinct week from cj_promotions
)

select 'day' as kind, business_day::varchar as part, business_day + 1 as lands_on
from business_days
union all
-- The display and mailer plan is known four weeks ahead.
select 'week', week::varchar, cj_first_day(week) - 27
from weeks
union all
-- Who gets which coupons is settled before a campaign's first morning.
select 'campaign', campaign_id::varchar, first_day
from cj_campaigns
union all
-- The catalogue has no dates.
select 'catalogue', 'all', date '0001-01-01';
