"""WHEN: the night as a table of contents, its schedule, its settings and its command line."""
