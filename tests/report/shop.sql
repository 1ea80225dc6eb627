-- A small shop and one night of it, so that every section has something to say. $night is the night's number (its rows
-- differ a little from night to night), $as_of its day, $run its id.
set variable time_zone = 'UTC';
set variable as_of_date = $as_of;

insert into raw.products by name
select
    'P' || number as product_id,
    case
        when number = 1 then '<script>alert("1")</script> & Söhne'
        when number > 28 then 'Twin'
        else 'Product no. ' || number
    end as product_title,
    ['Bread', 'Fruit', 'Tea & Co'][1 + number % 3] as category
from range(1, 31) as numbers (number)
where not exists (from raw.products);

insert into raw.orders by name
select 'O' || day || '-' || number as order_id, 'U' || number as user_id, 'completed' as status,
    cast($as_of - cast(day as integer) as timestamp) + interval 10 hours as ordered_at
from range(1, 85) as days (day), range(1, 4) as numbers (number)
where not exists (from raw.orders);

insert into raw.order_lines by name
select order_id || '-1' as order_line_id, order_id, 'P' || (1 + hash(order_id) % 30) as product_id, 'S1' as ship_from_site_id,
    2.0 as quantity
from raw.orders
where not exists (from raw.order_lines);

insert into raw.service_tickets by name
select 'T' || day as ticket_id, 'email' as channel, 'refund' as contact_reason,
    cast($as_of - cast(day as integer) as timestamp) + interval 9 hours as created_at
from range(1, 40) as days (day)
where not exists (from raw.service_tickets);

insert into ops.runs by name
select $run as run_id, $as_of as as_of_date, 'files:/shop' as source, 'released' as status, '1.0' as code_version,
    cast($as_of as timestamp) + interval 2 hours as started_at,
    '{"time_zone": "Europe/Berlin", "currency": "EUR"}' as settings_json;

insert into ops.head_status by name
select $run as run_id, head, status, reason, 'model-' || $night as model_version, 100 as training_rows
from (values
    ('pricing', if($night = 1, 'champion', 'released'), 'beats naive'),
    ('supply', 'released', 'beats naive'),
    ('recommendation', 'released', 'beats naive'),
    ('profile', 'released', 'beats naive'),
    ('quality', 'not_ready', 'feed behaviour_events has no <b>ratings</b>'),
    ('service', 'released', 'beats naive'),
    ('tickets', 'not_released', 'handle_minutes 3 against 2')
) as heads (head, status, reason);

insert into ops.model_metrics by name
select $run as run_id, head, task, metric, value + 0.001 * $night as value, naive as baseline_value, 'usual' as baseline,
    is_higher as is_higher_better, true as is_gate, 500 as sample_count,
    if($night > 1, value, null) as champion_value
from (values
    ('pricing', 'price_response', 'wape', 0.30, 0.40, false),
    ('supply', 'demand', 'wql', 0.20, 0.25, false),
    ('recommendation', 'all', 'ndcg_20', 0.40, 0.20, true)
) as measures (head, task, metric, value, naive, is_higher);

insert into ops.calibration by name
select $run as run_id, 'profile' as head, 'buys_28d' as task, bin, bin / 11 as predicted_mean, bin / 12 as observed_mean,
    50 as sample_count
from range(1, 11) as bins (bin);

insert into ops.calibration_effects by name
select $run as run_id, 'supply' as head, 'demand' as task, 'coverage_p90' as measure, 0.85 as uncalibrated,
    0.89 as calibrated, 0.9 as wanted;

insert into ops.task_interactions by name
select $run as run_id, task, other_task, 0.1 * hash(task || other_task) % 7 / 7 - 0.05 as gradient_cosine
from unnest(['profile', 'supply', 'pricing']) as tasks (task), unnest(['profile', 'supply', 'pricing']) as others (other_task)
where task <> other_task;

insert into ops.quality_checks by name
select $run as run_id, table_name, rule, meaning, severity, is_passed, 100 as rows_checked, rows_broken, detail
from (values
    ('orders', 'key_unique', 'order_id names one row', 'critical', false, 3, '3 of 100 rows, such as <img src=x>'),
    ('orders', 'is_fresh', 'the newest row is young', 'warning', true, 0, 'newest 2026-03-01, 1 days before'),
    ('campaigns', 'is_fresh', 'the newest row is young', 'info', false, 1, 'newest 2026-02-01, 29 days before')
) as checks (table_name, rule, meaning, severity, is_passed, rows_broken, detail);

insert into ops.quarantined_rows by name
select $run as run_id, 'orders' as table_name, number as row_number, 'key_unique' as broken_rules
from range(1, 4) as numbers (number);

insert into ops.loads by name
select $night as load_id, 'orders' as feed, 'orders-' || $night as input_name, 'loaded' as status, 100 as rows_read,
    $run as run_id, $run as validated_by;

insert into ops.run_steps by name
select $run as run_id, step, 'completed' as status, seconds, cast($as_of as timestamp) + to_seconds(place) as started_at
from (values ('ingest_feeds', 1, 2.5), ('train_model', 2, 50.0)) as steps (step, place, seconds);

insert into ops.consistency_checks by name
select $run as run_id, promise, meaning, is_kept, if(is_kept, 0, 2) as violations
from (values
    ('one_night', 'All tables are of this night.', true), ('one_curve', 'There is one curve.', $night > 1)
) as promises (promise, meaning, is_kept);

create or replace temp table common as
select $run as run_id, $as_of as as_of_date, 'model-' || $night as model_version, 'own_history' as evidence_level,
    false as is_fallback, 'Because of <i>habit</i>.' as primary_reason, cast($as_of as timestamp) as predicted_at;

insert into ops.outcomes by name
select 'old' || night as run_id, $as_of - 28 - cast(night as integer) as as_of_date, 'supply' as head, 'demand' as task, 'wql' as metric,
    'score' as unit, 0.22 as value, 0.25 as baseline_value, 0.2 as promised_value, 'gate' as promise,
    false as is_higher_better, 300 as sample_count, true as is_mature, night = 1 as is_alert
from range(1, 4) as nights (night)
where $night = 2;

insert into ops.drift_metrics by name
select $run as run_id, kind, subject, metric, value, 0.1 as measured_value, 0.25 as threshold, value > 0.25 as is_alert,
    'recency_days' as detail
from (values
    ('feature', 'users.recency_days', 'psi', 0.4), ('prediction', 'demand.units', 'psi', 0.1),
    ('table', 'users', 'domain_auc', 0.6)
) as metrics (kind, subject, metric, value)
where $night = 2;

insert into ops.alerts by name
select $run as run_id, $as_of as as_of_date, 1 as alert_number, 'drift' as kind, 'users.recency_days' as subject,
    'Users come back later than in the training window.' as message, 'Look at the feed orders.' as remedy,
    true as is_new
where $night = 2;

insert into ops.decision_counts by name
select $run as run_id, 'pricing' as head, 4 as accepted, 1 as rejected, 2 as overridden, 3 as standing,
    2 as rows_overridden, 1 as rows_overruling, -5.0 as expected_gain
where $night = 2;

insert into ops.experiment_lifts by name
select $run as run_id, 'holdout' as experiment, 'served' as variant, 'held_out' as control_variant, 'revenue' as metric,
    90 as users, 40 as control_users, 12.0 as value_per_user, 10.0 as control_value_per_user, 2.0 as lift,
    0.5 as lift_low, 3.5 as lift_high
where $night = 2;

delete from predictions.price_recommendations;
insert into predictions.price_recommendations by name
select
    common.*, product_id, 'EUR' as currency, 10.0 as current_price,
    case when number <= 8 + $night then 10.5 when number = 20 then 9.5 else 10 end as recommended_price,
    -2.5 as elasticity_p10, -2.0 as elasticity_p50, -1.5 as elasticity_p90, number < 25 as is_elasticity_identified,
    100 as expected_units_now, 95 as expected_units_then, 1000 as expected_revenue_now, 998 as expected_revenue_then,
    300 as expected_margin_now, 300 + if(number <= 20, 60 - number, 0) as expected_margin_then,
    if(number % 2 = 0, 'maximum_change_ratio (every_price)', null) as binding_rule,
    case when number <= 5 then 'auto_apply' when number <= 20 then 'needs_review' else 'hold' end as review_status
from (select product_id, cast(product_id[2:] as integer) as number from raw.products), common;

delete from predictions.price_responses;
insert into predictions.price_responses by name
select common.*, product_id, 9 + 0.5 * step as price, 110 - 5 * step as expected_units, 900 as expected_revenue,
    280 + 10 * step as expected_margin, step < 4 as is_allowed
from raw.products, range(0, 5) as steps (step), common;

delete from predictions.demand_forecasts;
insert into predictions.demand_forecasts by name
select common.*, product_id, 'all' as site_id, $as_of + 7 * cast(week as integer) as forecast_date, 7 as period_days,
    3.0 as demand_units_p10, 5.0 as demand_units_p50, 8.0 as demand_units_p90, 10.0 as demand_units_p95,
    5.0 + $night as demand_units_mean, 10.0 as price_assumed, week = 2 as is_promoted
from raw.products, range(0, 4) as weeks (week), common;

delete from predictions.replenishment_recommendations;
insert into predictions.replenishment_recommendations by name
select common.*, product_id, 'S1' as site_id, 5.0 as inventory_position_units, 8.0 as reorder_point_units,
    20.0 as order_up_to_units, if(product_id[2:]::integer <= 10 + $night, 15.0, 0.0) as recommended_order_units,
    $as_of as order_by_date, 7.0 as lead_time_days_p50, 9.0 as lead_time_days_p90, 0.6 as stockout_probability,
    12.0 as expected_lost_margin,
    case when recommended_order_units > 0 then 'stockout_risk' when product_id = 'P30' then 'overstock' else 'none' end
        as exception_type
from raw.products, common;

delete from predictions.user_profiles;
insert into predictions.user_profiles by name
select common.*, 'U' || number as user_id, 'EUR' as currency, 100.0 - number as expected_revenue_28d,
    0.5 as order_probability_28d, 0.1 as churn_probability_90d, 'high value, frequent' as segment_name,
    ['active', 'cooling', 'new'][cast(1 + number % 3 as integer)] as lifecycle_stage, true as is_contactable
from range(1, 13) as numbers (number), common;

delete from predictions.product_recommendations;
insert into predictions.product_recommendations by name
select common.*, placement, user_id, cast(rank as integer) as rank, 'P' || rank as product_id, 0.1 as score,
    0.1 as purchase_probability, 0.2 as expected_margin, 'good' as predicted_quality, false as is_exploration
from predictions.user_profiles, range(1, 7) as ranks (rank), unnest(['for_you', 'new_to_you']) as lists (placement), common;

delete from predictions.service_forecasts;
insert into predictions.service_forecasts by name
select common.*, $as_of + cast(day as integer) as forecast_date, channel, 'refund' as contact_reason, 2.0 as contacts_mean,
    0.5 as contacts_p10, 1.8 as contacts_p50, 4.0 as contacts_p90, 1.5 as workload_hours, 1 as required_agents
from range(0, 28) as days (day), unnest(['email', 'phone']) as channels (channel), common;

delete from predictions.action_queue;
insert into predictions.action_queue by name
select common.*, cast(number as integer) as rank, ['pricing', 'supply', 'profile'][cast(1 + number % 3 as integer)] as head,
    if(number = 1, 'Order <b>bread</b>', 'Do no. ' || number) as action, 'product' as object_type,
    'P' || (number + $night) as object_id, $as_of + cast(number % 4 as integer) as do_by_date,
    100.0 - number as value_at_stake, 'margin' as value_basis
from range(1, 31) as numbers (number), common;

insert into ops.explanations by name
select $run as run_id, 'action_queue' as table_name, 'pricing' as head, '1' as object_id, 1 as rank,
    'The <u>price</u> raises it.' as sentence
where not exists (from ops.explanations);
