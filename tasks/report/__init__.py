"""The morning report: rows of `warehouse.report` become words, charts and tables on one page."""
