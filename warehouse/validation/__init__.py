"""Checks of feeds and published tables: Great Expectations over DuckDB, and the same rules in plain SQL."""
