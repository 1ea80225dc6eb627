-- One row per list and position that is filled; filled for some users at a time.
create or replace temp table list_rows (
    pair_row bigint,
    placement_number integer,
    product_index bigint,
    score double,
    rank bigint,
    is_exploration boolean,
    is_scarce boolean
)
