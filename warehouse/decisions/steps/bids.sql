-- One row per contested pair whose product does not suffice: what its list would pay per expected purchase at the
-- prices of a round. Filled round by round.
create or replace temp table bids (number bigint, product bigint, need double, bid double)
