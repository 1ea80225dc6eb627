"""Ids of people as keyed hashes, where there is a key."""

from __future__ import annotations

import duckdb

from tasks.gates import GateStopped
from tasks.night import Night
from warehouse import diary
from warehouse.pseudonyms import pseudonym, use_key

# What the fingerprint of a key is the pseudonym of.
_OF_THE_KEY = "the key itself"


def use_pseudonyms(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Let tonight's feeds be loaded with pseudonyms, if the night has a key.

    GateStopped when the home holds ids under another key, or as they were delivered: nobody would be one person.
    """
    secret = night.secrets.pseudonym_key
    key = secret.get_secret_value() if secret else None
    if not diary.require_pseudonym_key(con, night.run_id, pseudonym(key, _OF_THE_KEY) if key else None):
        raise GateStopped(
            "data",
            "the feeds in this home were loaded with ids under another key of pseudonyms, or under none.",
            "set FIVEFOLD_PSEUDONYM_KEY, or pseudonym_key_block, as it was (or unset it), or choose a new --home.",
        )
    if key:
        use_key(con, key)
