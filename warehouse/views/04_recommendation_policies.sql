-- One row per offered product, list and action: the narrowest valid rule; of equally narrow ones that of this
-- very list, then the latest. Actions do not compete: an exclusion holds however narrow a boost is.
create or replace temp view recommendation_policies as
with valid_rules as (
    select
        * exclude (placement),
        placement is null as is_for_every_list,
        unnest(if(placement is not null, [placement], getvariable('placements'))) as placement
    from raw.recommendation_rules
    where valid_from <= getvariable('as_of_date') and coalesce(valid_to > getvariable('as_of_date'), true)
)
select product_id, placement, action, rule_id, weight
from product_scopes
join valid_rules using (scope)
where scope = 'all' or product_scopes.scope_id = valid_rules.scope_id
qualify row_number() over (
    partition by product_id, placement, action order by width, is_for_every_list, valid_from desc, rule_id
) = 1
