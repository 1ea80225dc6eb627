"""Where every row of the feeds is: loads, rows that were set aside, and the balance of both."""

from __future__ import annotations

from warehouse.contracts.table import Table, integer, moment, text

LOADS = Table(
    schema="ops",
    name="loads",
    grain="One row per input that was read; an input that changed is a new row.",
    key=("load_id",),
    columns=(
        integer("load_id", "Number of the load, kept on each raw row", required=True),
        text("feed", "Feed", required=True),
        text("input_name", "File or part of a source", required=True),
        text("content_hash", "What the content was", required=True),
        text("status", "loaded, or replaced by a later version", one_of=("loaded", "replaced")),
        integer("rows_read", "Rows in the input", low=0),
        integer(
            "rows_replaced",
            "Older rows that made way: earlier versions of the input, and rows with the same key",
            low=0,
        ),
        integer("rows_superseded", "Its own rows that made way for later loads", low=0),
        integer("rows_erased", "Its rows about people who were erased", low=0),
        integer(
            "rows_unrecorded",
            "Its rows that were set aside beyond validation.quarantine_row_limit, counted only",
            low=0,
        ),
        text("unknown_columns", "Columns that the contract does not know, comma separated"),
        text("run_id", "Night that loaded it", required=True),
        moment("loaded_at", "When", required=True),
        text("validated_by", "Night that checked its rows and let them pass; empty until then"),
    ),
)

QUARANTINED_ROWS = Table(
    schema="ops",
    name="quarantined_rows",
    grain="One row per feed row that was set aside.",
    key=("run_id", "table_name", "row_number"),
    columns=(
        text("run_id", "Night", required=True),
        text("table_name", "Feed", required=True),
        integer("row_number", "Number within the night and feed", required=True),
        text("row_key", "Primary key of the row, as JSON"),
        text("broken_rules", "Rules that it breaks, comma separated", required=True),
        text("row_json", "The whole row as JSON, every value as text, so that nothing is lost"),
        text("input_name", "File or part of a source it came from"),
        integer("load_id", "Load that brought it"),
        moment("quarantined_at", "When", required=True),
    ),
)

ROW_BALANCES = Table(
    schema="ops",
    name="row_balances",
    grain="One row per feed and night: where every row is that ever came in.",
    key=("run_id", "feed"),
    note="rows_read = rows_in_feed + rows_quarantined + rows_replaced + rows_erased, or the night stops.",
    columns=(
        text("run_id", "Night", required=True),
        text("feed", "Feed", required=True),
        integer("rows_read", "Rows of all inputs", required=True, low=0),
        integer("rows_in_feed", "Rows in the feed's table now", required=True, low=0),
        integer("rows_quarantined", "Rows set aside, with their rule", required=True, low=0),
        integer("rows_replaced", "Rows that made way for newer ones", required=True, low=0),
        integer("rows_erased", "Rows about people who were erased", required=True, low=0),
        moment("counted_at", "When", required=True),
    ),
)
