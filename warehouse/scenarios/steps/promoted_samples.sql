-- Only what the promotions change is predicted anew: another batch of the same rows is rounded otherwise.
create or replace table samples.demand as
from samples.demand
except all
from night.samples.demand where fold = 'serve';

-- The pairs of users and promoted products, with the share of the coming weeks that the promotions now reach.
create or replace table samples.recommendation as
select samples.* replace (coalesce(promoted_share, 0) as ctx_promoted_share)
from night.samples.recommendation as samples
left join promoted_shares
    on promoted_shares.product_id = samples.product_id and promoted_shares.cutoff_date = samples.cutoff_date
where fold = 'serve' and samples.product_id in (select product_id from asked_promotions);
