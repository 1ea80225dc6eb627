"""PostgreSQL at both ends of a night: its tables as feeds, and what is published as tables of its own.

Everything goes over ADBC (extra `postgres`), which `warehouse.postgres.session` imports when a session is opened.
"""
