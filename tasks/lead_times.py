"""Lead times: how late each supplier is, as known at tonight's cut-off and at the one that is measured."""

from __future__ import annotations

import duckdb
import polars as pl

from mtl_models.decisions.lead_times import late_days_quantiles

LEVELS = (0.5, 0.9)


def estimate_lead_times(con: duckdb.DuckDBPyConnection) -> None:
    """Write features.lead_times, one row per supplier with a received line and cut-off, from the table `receipts`."""
    con.execute(
        """
        create or replace table features.lead_times (
            supplier_id varchar, cutoff_date date, late_days_p50 double, late_days_p90 double, received_lines bigint
        )
        """
    )
    receipts = con.sql("select * from receipts").pl()
    for (cutoff,), lines in receipts.group_by("cutoff_date", maintain_order=True):
        if not lines["is_received"].any():
            continue
        suppliers = int(lines["supplier_number"].max()) + 1  # type: ignore[arg-type]
        quantiles = late_days_quantiles(
            lines["supplier_number"].to_numpy(),
            lines["late_days"].to_numpy(),
            lines["is_received"].to_numpy(),
            suppliers,
            LEVELS,
        )
        known = lines.group_by("supplier_id").agg(pl.first("supplier_number"), pl.sum("is_received"))
        known = known.filter(pl.col("is_received") > 0).sort("supplier_id")
        late_days = quantiles[known["supplier_number"].to_numpy()]
        rows = pl.DataFrame(
            {
                "supplier_id": known["supplier_id"],
                "cutoff_date": pl.repeat(cutoff, len(known), eager=True),
                "late_days_p50": late_days[:, 0],
                "late_days_p90": late_days[:, 1],
                "received_lines": known["is_received"].cast(pl.Int64),
            }
        )
        con.register("estimated_rows", rows)
        con.execute("insert into features.lead_times select * from estimated_rows")
        con.unregister("estimated_rows")
