-- `noise(key)` is a number in 0..1 that depends on its key alone; $as_of is the night's date.
create or replace macro noise(key) as (hash(key) % 10007) / 10007.0;
create schema staging; create macro staging.business_date(moment) as cast(moment as date); create schema features; create schema samples;

create table features.cutoffs as
select
    $as_of - cast(28 * step as integer) as cutoff_date,
    case step when 0 then 'serve' when 1 then 'test' when 2 then 'validation' else 'train' end as fold
from range(0, 6) as steps (step);

create table features.lead_times (
    supplier_id varchar, cutoff_date date, late_days_p50 double, late_days_p90 double, received_lines bigint
);

create table features.categories as select * from (values ('bread', 0), ('fruit', 1), ('OTHER', 2)) as c (category, category_index);

create table features.users as
select
    'u' || user_number as user_id,
    cutoff_date,
    ['north', 'south'][1 + user_number % 2] as region,
    cast(user_number % 10 as integer) as keenness,
    case when user_number % 7 > 0 then noise(user_id || 'x') end as sometimes_unknown
from range(0, 100) as users (user_number), features.cutoffs;

create table features.products as
select 'p' || n as product_id, cutoff_date, ['bread', 'fruit'][1 + n % 2] as category, cast(n as integer) as rank, n = 3 as is_odd
from range(0, 40) as products (n), features.cutoffs;

create table features.sites as
select 's1' as site_id, cutoff_date, 1.0 as share from features.cutoffs;

create table features.calendar as
select cutoff_date + 7 * cast(week as integer) as calendar_date, cast(week as integer) as week
from features.cutoffs, range(0, 4) as weeks (week);

create table features.demand_history as
select product_id, 'all' as site_id, cutoff_date, rank + 2.0 as level from features.products;

create table samples.profile as
select
    user_id, cutoff_date, 's1' as site_id, fold,
    if(fold = 'serve', null, if(noise(user_id || cutoff_date) < keenness / 10, 20.0 * keenness, 0)) as label_spend_28d,
    if(fold = 'serve', null, cast(noise(user_id || cutoff_date) < keenness / 10 as integer)) as label_buys_28d,
    if(fold = 'serve', null, cast(noise(user_id || cutoff_date) < keenness / 20 as integer)) as label_buys_7d,
    if(fold = 'serve', null, cast(noise(user_id || cutoff_date) > keenness / 8 as integer)) as label_churns_90d,
    if(fold = 'serve', null, 0.2) as label_discount_share_28d,
    cast(null as integer) as label_contacts_28d,
    case when label_spend_28d > 0 then [0.6, 0.3, 0.1]::double[] end as label_category_shares,
    50.0 as base_spend_28d, 40.0 as base_spend_last_28d, 0.5 as base_buys_28d, 0.25 as base_buys_7d, 0.5 as base_presence_buys_28d,
    0.25 as base_presence_buys_7d,
    [0.2, 0.4, 0.4]::double[] as base_category_shares, [0.3, 0.4, 0.3]::double[] as base_category_shares_smoothed
from features.users join features.cutoffs using (cutoff_date);

create table samples.recommendation as
select
    user_id, product_id, cutoff_date, fold, 1.0 as sample_weight, 'popular' as source, rank % 2 = 0 as is_new,
    if(fold = 'serve', null, cast(noise(user_id || product_id || cutoff_date) < if(rank < 8, 0.4, 0.02) as integer)) as label_bought_28d,
    noise(product_id) as base_popularity, 0.0 as base_personal, cast(rank < 8 as integer) as ctx_is_liked
from features.users join features.products using (cutoff_date) join features.cutoffs using (cutoff_date)
where fold in ('serve', 'test', 'validation') or cutoff_date = $as_of - 84;

create table staging.order_lines as
select user_id, product_id, cutoff_date as business_date, true as is_item
from samples.recommendation where label_bought_28d = 1
union all
select 'u' || n, 'p0', $as_of - 300, true from range(0, 100) as users (n);

create table samples.demand as
with weeks as (
    select *, calendar_date, 2.0 * (0.7 + 0.6 * noise(product_id || calendar_date)) as paid, rank + 2.0 as level
    from features.products
    join features.cutoffs using (cutoff_date)
    join (select calendar_date, week from features.calendar) on calendar_date = cutoff_date + 7 * week
)
select
    product_id, 'all' as site_id, cutoff_date, week + 1 as horizon, calendar_date, fold,
    if(fold = 'serve', null, round(level * (paid / 2.0) ** -2.0 * (0.7 + 0.6 * noise(calendar_date || product_id)))) as label_units,
    if(fold = 'serve', null, 1.0) as label_available_ratio, level as base_units, level as base_units_sold, 0.5 * level as base_units_13w_p10, level as base_units_13w_p50, 2 * level as base_units_13w_p90,
    2.5 * level as base_units_13w_p95, level as base_level,
    if(fold = 'serve', null, paid) as price, fold <> 'serve' as is_price_seen, paid as price_assumed, paid as mean_price_assumed,
    2.0 as reference_price, 2.5 as list_price, true as is_priced, true as is_supply_test, true as is_price_test,
    0.0 as ctx_display, cast(paid < 1.6 as float) as ctx_mailer, 0.0 as ctx_other_promotion
from weeks;

create table features.price_spells as
select
    product_id, calendar_date as week_start, 'FOOD' as category, ln(price / reference_price) as log_price_ratio,
    0.0 as ctx_display, ctx_mailer, 0.0 as ctx_other_promotion, label_units as units, 7.0 as exposure
from samples.demand where price is not null;

create table samples.promotion as
select
    user_id, 'c' || campaign as campaign_id, cutoff_date, fold,
    if(fold = 'serve', null, cast(noise(user_id || campaign || cutoff_date) < keenness / 10 as integer)) as label_redeemed,
    true as is_offered, cast(null as integer) as label_ordered, 0.5 as base_ordered, 0.4 as base_redeemed, keenness as ctx_keenness
from features.users join features.cutoffs using (cutoff_date), range(0, 2) as campaigns (campaign);

create table samples.service_orders (
    order_id varchar, user_id varchar, site_id varchar, origin_date date, cutoff_date date, fold varchar, label_contacted integer,
    label_returned integer
);
create table samples.service_days (
    forecast_date date, channel varchar, contact_reason varchar, origin_date date, cutoff_date date, calendar_date date, fold varchar,
    label_contacts integer, base_contacts float
);

create table samples.product_quality (
    product_id varchar, origin_date date, cutoff_date date, fold varchar, sample_weight float, label_rating float,
    base_rating float
);
create table samples.service_tickets (
    ticket_id varchar, seen_at timestamp, user_id varchar, product_id varchar, origin_date date, cutoff_date date,
    fold varchar, label_handle_minutes float
);

insert into raw.orders (order_id) values ('o');
insert into raw.order_lines (order_line_id) values ('l');
insert into raw.campaigns (campaign_id) values ('c0');
insert into raw.campaign_targets (campaign_id) values ('c0');
insert into raw.redemptions (redemption_id) values ('r');
