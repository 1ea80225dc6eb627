-- One row per product and site: when to order, up to where, and how much now.
with judged as (
    select
        *,
        case
            when position_units is null then 'no_inventory_data'
            when stockout_probability > 1 - service_level then 'stockout_risk'
            when position_units > order_up_to_units + units_28d then 'overstock'
            else 'none'
        end as exception_type
    from order_plans
    join stocked_items using (item_row)
)
select
    product_id,
    site_id,
    position_units as inventory_position_units,
    lead_time_days_p50,
    lead_time_days_p90,
    reorder_point_units,
    order_up_to_units,
    recommended_order_units,
    -- Without demand there is no day by which to order; nor is one ten years ahead worth saying.
    case
        when decided_units > 0 then getvariable('as_of_date')
        when days_to_order < 3650 then getvariable('as_of_date') + cast(days_to_order as integer)
    end as order_by_date,
    stockout_probability,
    lost_units * unit_margin as expected_lost_margin,
    exception_type,
    if(decision_id is not null, 'decision ' || decision_id, nullif(
        concat_ws(
            ', ',
            if(is_capped, 'maximum_cover_days', null),
            if(is_minimum, 'minimum_order_units', null),
            if(is_multiple, 'order_multiple_units', null),
            if(is_held_down, if(days_on_sale is null, 'marked down', 'ends soon'), null)
        ),
        ''
    )) as binding_rule,
    decision_id,
    model_version,
    is_fallback,
    evidence_level,
    format('Expected {:.1f} units in 28 days', units_28d)
    || if(list_ratio > 1, format(', {:.1f} as tonight''s lists would sell; ', wished_units), '; ')
    || format(
        '{:.0f} units cover the {} lead time of {:.0f} days and {} until the next order in {:.0f}% of cases',
        order_up_to_units,
        if(is_lead_time_seen, 'seen', 'assumed'),
        lead_time_days_p50,
        if(cycle_days < 1.5, 'the day', format('the {:.0f} days', cycle_days)),
        100 * service_level
    )
    || coalesce(
        format(
            '; the position is {:.0f}, order {:.0f}', cast(position_units as double), modelled_order_units
        ),
        '; what is in stock is not known'
    )
    || case
        when decision_id is not null then
            format('; {:.0f} instead by decision {} until {}.', decided_units, decision_id, decided_until)
        when days_on_sale is not null then format('; it ends in {} days.', days_on_sale)
        when is_marked_down and is_held_down then '; no more, as its price is cut.'
        else '.'
    end as primary_reason
from judged
