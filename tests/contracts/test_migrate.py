from __future__ import annotations

import dataclasses

import pytest

from warehouse import migrate as migration
from warehouse.connect import open_memory
from warehouse.contracts import ALL_TABLES, Table, feed
from warehouse.contracts.table import number


def with_feed(table: Table) -> tuple[Table, ...]:
    return tuple(table if known.name == table.name and known.schema == "raw" else known for known in ALL_TABLES)


def test_migrating_twice_changes_nothing() -> None:
    with open_memory() as con:
        assert migration.migrate(con)
        assert not migration.migrate(con)


def test_a_new_column_of_a_contract_is_added_with_its_comment_and_rows_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_memory() as con:
        migration.migrate(con)
        con.execute("insert into raw.sites (site_id) values ('s1')")
        sites = feed("sites")
        wider = dataclasses.replace(sites, columns=(*sites.columns, number("floor_area", "Square metres")))
        monkeypatch.setattr(migration, "ALL_TABLES", with_feed(wider))

        assert migration.migrate(con)

        assert con.execute("select site_id, floor_area from raw.sites").fetchall() == [("s1", None)]
        comment = "select comment from duckdb_columns() where table_name = 'sites' and column_name = 'floor_area'"
        assert con.execute(comment).fetchall() == [("Square metres",)]


def test_a_changed_type_is_refused_by_name_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_memory() as con:
        migration.migrate(con)
        sites = feed("sites")
        changed = dataclasses.replace(sites, columns=(number("site_id", "Now a number"), *sites.columns[1:]))
        monkeypatch.setattr(migration, "ALL_TABLES", with_feed(changed))

        with pytest.raises(TypeError, match=r"raw\.sites\.site_id is VARCHAR .* DOUBLE"):
            migration.migrate(con)

        monkeypatch.undo()
        assert not migration.migrate(con)
