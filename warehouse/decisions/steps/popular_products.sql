-- One row per product that lists may show: how likely somebody unknown is to buy it, who is taken for an average user.
-- A user who is no candidate for a product counts as not buying it. Decimals, so that the sum does not depend on the
-- order in which threads add.
create or replace temp table popular_products as
select
    product_index,
    cast(sum(cast(purchase_probability as decimal(18, 12))) as double)
        / (select count(distinct user_index) from recommendation_pairs) as purchase_probability
from recommendation_pairs
group by product_index
