"""WHERE: contracts, SQL and files. The only layer that talks to DuckDB and Great Expectations."""
