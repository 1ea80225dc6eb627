-- One row per action that a head proposes, not ranked yet.
create or replace temp table proposed_actions as
with prices as (
    select
        'pricing' as head,
        format(
            '{} the price of {}: {:.2f} to {:.2f}',
            if(review_status = 'auto_apply', 'Set', 'Review'),
            product_title, cast(current_price as double), cast(recommended_price as double)
        ) as action,
        'product' as object_type,
        product_id as object_id,
        getvariable('as_of_date') + 6 as do_by_date,
        greatest(
            coalesce(expected_margin_then - expected_margin_now, expected_revenue_then - expected_revenue_now), 0
        ) as value_at_stake,
        expected_margin_now is not null as is_margin,
        primary_reason,
        model_version,
        evidence_level,
        is_fallback
    from predictions.price_recommendations
    join offered_products using (product_id)
    where recommended_price <> current_price
),
orders as (
    select
        'supply' as head,
        format('Order {:.0f} units of {}', recommended_order_units, product_title)
            || if(site_id = 'all', '', ' for site ' || site_id) as action,
        'product' as object_type,
        product_id as object_id,
        order_by_date as do_by_date,
        greatest(coalesce(expected_lost_margin, lost_revenue), 0) as value_at_stake,
        expected_lost_margin is not null as is_margin,
        primary_reason,
        model_version,
        evidence_level,
        is_fallback
    from predictions.replenishment_recommendations
    join offered_products using (product_id)
    left join lost_sales using (product_id, site_id)
    where recommended_order_units > 0 and order_by_date is not null
),
-- What lists would sell before an order of tonight can arrive, and cannot for want of stock, each unit at what it would
-- add to the lists: the price of the allotment.
shortages as (
    select
        'recommendation' as head,
        wished_units * least(lead_time_days_p90, 28) / 28 as wanted_units,
        greatest(available_units + arriving_28d_units, 0) as sellable_units,
        format('Hurry the supply of {}: lists could sell {:.0f} more', product_title, wanted_units - sellable_units) as action,
        'product' as object_type,
        product_id as object_id,
        getvariable('as_of_date') + 6 as do_by_date,
        unit_worth * if(getvariable('order_by') = 'margin', 1, unit_margin) * (wanted_units - sellable_units)
            as value_at_stake,
        unit_margin is not null as is_margin,
        format(
            'Tonight''s lists would sell {:.0f} units in the {:.0f} days until an order arrives; {:.0f} are there or due.',
            wanted_units, least(lead_time_days_p90, 28), sellable_units
        ) as primary_reason,
        made_by.*
    from scarce_products
    join wished_purchases using (product_index)
    join offered_products using (product_index)
    join replenishment_policies using (product_id)
    join stock using (product_id)
    left join unit_margins using (product_id), (
        select
            any_value(model_version) as model_version,
            'prior' as evidence_level,
            bool_or(is_fallback) as is_fallback
        from predictions.product_recommendations
    ) as made_by
    where site_id = 'all' and wanted_units >= sellable_units + 1
),
-- What a user who falls silent used to spend in 28 days, less what is still expected.
win_backs as (
    select
        'profile' as head,
        format('Win back user {}, who is {}', user_id, lifecycle_stage) as action,
        'user' as object_type,
        user_id as object_id,
        getvariable('as_of_date') + 6 as do_by_date,
        greatest(spend_84d / 3, spend_168d / 6) - expected_revenue_28d as value_at_stake,
        false as is_margin,
        primary_reason,
        model_version,
        evidence_level,
        is_fallback
    from predictions.user_profiles
    join features.users using (user_id)
    where cutoff_date = getvariable('as_of_date')
        and lifecycle_stage in ('cooling', 'lapsing')
        and is_contactable
        and not is_holdout
        and user_id not in (select user_id from standing_decisions where head = 'profile' and action = 'rejected')
        and greatest(spend_84d / 3, spend_168d / 6) > expected_revenue_28d
),
-- Nobody knows what an offer adds before a randomised holdout, so it has no value at stake.
offers as (
    select
        'promotion' as head,
        format(
            'Send campaign {} to {} of its {} users',
            promotion_id, count(*) filter (is_recommended), count(*)
        )
        || if(
            bool_or(is_holdout),
            format(' and to none of the {} held out', count(*) filter (is_holdout)),
            ' and hold some of them out at random'
        ) as action,
        'promotion' as object_type,
        promotion_id as object_id,
        greatest(any_value(staging.business_date(starts_at)), getvariable('as_of_date')) as do_by_date,
        cast(null as double) as value_at_stake,
        false as is_margin,
        format(
            'The users chosen redeem with {:.1f}% probability on average, the others with {:.1f}%.',
            100 * avg(redemption_probability order by user_id) filter (is_recommended),
            coalesce(100 * avg(redemption_probability order by user_id) filter (not is_recommended), 0)
        ) as primary_reason,
        any_value(model_version) as model_version,
        min(evidence_level) as evidence_level,
        bool_or(is_fallback) as is_fallback
    from predictions.promotion_recommendations
    join raw.campaigns on campaign_id = promotion_id
    group by promotion_id
    having count(*) filter (is_recommended) > 0
),
contacts as (
    select
        'service' as head,
        format('Order {}: {}', order_id, lcase(suggested_action[1]) || suggested_action[2:]) as action,
        'order' as object_type,
        order_id as object_id,
        getvariable('as_of_date') as do_by_date,
        expected_saving as value_at_stake,
        true as is_margin,
        primary_reason,
        model_version,
        evidence_level,
        is_fallback
    from predictions.order_contact_risks
    where is_message_worthwhile
)
select * from prices
union all by name select * from orders
union all by name select * exclude (wanted_units, sellable_units) from shortages
union all by name select * from win_backs
union all by name select * from offers
union all by name select * from contacts
order by head, object_id, action
