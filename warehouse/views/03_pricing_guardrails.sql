-- One row per offered product: its guardrails and their names. Guardrail by guardrail, the narrowest valid rule
-- that says something wins, then the settings.
create or replace temp table pricing_guardrails as
with valid_rules as (
    select *
    from raw.pricing_rules
    where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
),
applicable as (
    select
        product_id,
        valid_rules.*,
        row_number() over (partition by product_id order by width, valid_from desc, rule_id) as preference
    from product_scopes
    join valid_rules using (scope)
    where scope = 'all' or product_scopes.scope_id = valid_rules.scope_id
),
-- arg_min skips the rules that say nothing about the guardrail.
narrowest as (
    select
        product_id,
        arg_min({'value': price_floor, 'rule': rule_id}, preference) filter (price_floor is not null) as floor,
        arg_min({'value': price_ceiling, 'rule': rule_id}, preference) filter (price_ceiling is not null) as ceiling,
        arg_min({'value': minimum_margin_ratio, 'rule': rule_id}, preference)
            filter (minimum_margin_ratio is not null) as margin,
        arg_min({'value': maximum_change_ratio, 'rule': rule_id}, preference)
            filter (maximum_change_ratio is not null) as change,
        arg_min({'value': price_endings, 'rule': rule_id}, preference) filter (price_endings is not null) as endings
    from applicable
    group by product_id
)
select
    product_id,
    is_price_locked,
    cast(floor.value as double) as price_floor,
    cast(ceiling.value as double) as price_ceiling,
    coalesce(margin.value, getvariable('minimum_margin_ratio')) as minimum_margin_ratio,
    coalesce(change.value, getvariable('maximum_change_ratio')) as maximum_change_ratio,
    coalesce(endings.value, getvariable('price_endings')) as price_endings,
    -- In the order of mtl_models.decisions.pricing.Guardrail, so that names[code] is the guardrail's name.
    [
        'is_price_locked',
        'price_floor (' || floor.rule || ')',
        'price_ceiling (' || ceiling.rule || ')',
        'minimum_margin_ratio (' || coalesce(margin.rule, 'settings') || ')',
        'maximum_change_ratio (' || coalesce(change.rule, 'settings') || ')',
        'stock until the next receipt',
        'price_endings (' || coalesce(endings.rule, 'settings') || ')'
    ] as names
from offered_products
left join narrowest using (product_id)
