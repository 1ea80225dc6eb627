"""Charts of the morning report: a module for each section, and how all of them look."""
