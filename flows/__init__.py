"""WHEN: the night as a table of contents, its schedule, its settings and the command line."""

from flows.environment import keep_others_out, set_defaults

# Whichever way a night is started, this comes before Prefect, torch and Great Expectations are imported.
set_defaults()
keep_others_out()
