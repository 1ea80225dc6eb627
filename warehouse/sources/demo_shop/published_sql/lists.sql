-- One row per user and rank of what the shop shows first; everyone else sees what is popular.
select user_id, rank, product_id
from predictions.product_recommendations_latest
where (user_id <> 'everyone' and placement = 'for_you') or (user_id = 'everyone' and placement = 'popular')
