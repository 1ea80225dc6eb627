-- One row per kind of guardrail or reason that keeps prices from moving, or from moving further.
select
    case
        when not is_elasticity_identified then 'its prices moved too little to know how demand reacts'
        else coalesce(regexp_replace(binding_rule, ' \(.*\)$', ''), 'nothing: the best price is reached')
    end as barrier,
    count(*) filter (recommended_price = current_price) as held,
    count(*) filter (recommended_price <> current_price) as moved
from tonight.predictions.price_recommendations
group by barrier
order by count(*) desc, barrier
limit 8
