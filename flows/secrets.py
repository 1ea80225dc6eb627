"""The databases and buckets that the settings name, with the passwords and keys that Prefect keeps."""

from __future__ import annotations

import json

from pydantic import SecretStr

from flows.settings import Settings, SettingsError, pseudonym_key
from tasks.postgres_settings import Secrets
from warehouse.object_storage.store import Keys
from warehouse.sources import Source, open_source

_SHORTEST_KEY = 32
_S3_KEYS = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
}
_NEEDED = _S3_KEYS.keys() - {"AWS_SESSION_TOKEN"}


def load_secrets(settings: Settings) -> Secrets:
    """The passwords of the source and of what is published to, None each where libpq finds it by itself, the keys of
    object storage, None where its client finds them, and the key of pseudonyms, None where ids stay as they are
    delivered.

    SettingsError names a block that cannot be loaded or does not hold what it should, and a key that is too short.
    """
    return Secrets(
        source_password=_of_block(settings.postgres.password_block, "postgres.password_block"),
        publish_password=_of_block(settings.publish.postgres_password_block, "publish.postgres_password_block"),
        s3_keys=_s3_keys(_of_block(settings.s3_keys_block, "s3_keys_block")),
        pseudonym_key=_long_enough(_of_block(settings.pseudonym_key_block, "pseudonym_key_block") or pseudonym_key()),
    )


def open_settings_source(settings: Settings) -> Source:
    """The source that the settings name, as they say how to read it."""
    options = settings.postgres.options(load_secrets(settings))
    return open_source(settings.source, home=settings.home, options=options)


def _long_enough(key: SecretStr | None) -> SecretStr | None:
    if key and len(key.get_secret_value()) < _SHORTEST_KEY:
        raise SettingsError(
            f"the key of pseudonyms has less than {_SHORTEST_KEY} characters, so that it can be guessed. "
            "Remedy: take what `openssl rand -hex 32` prints."
        )
    return key


def _of_block(name: str, setting: str) -> SecretStr | None:
    if not name:
        return None
    from prefect.blocks.system import Secret

    try:
        block = Secret.load(name, _sync=True)  # type: ignore[call-arg]
    except ValueError:
        raise SettingsError(
            f"{setting} names {name!r}, and Prefect has no Secret block of that name. "
            "Remedy: make it on Prefect's page under Blocks, or correct the setting."
        ) from None
    # Not `block.get()`, which takes a password such as 1e5 for a number and gives another one.
    content = block.value.get_secret_value()  # type: ignore[union-attr]
    return SecretStr(content if isinstance(content, str) else json.dumps(content))


def _s3_keys(content: SecretStr | None) -> Keys | None:
    if content is None:
        return None
    try:
        told = json.loads(content.get_secret_value())
    except ValueError:
        told = None
    is_right = isinstance(told, dict) and _NEEDED <= told.keys() <= _S3_KEYS.keys()
    if not is_right or not all(isinstance(value, str) and value for value in told.values()):
        raise SettingsError(
            "the Secret block that s3_keys_block names holds no keys. Remedy: let it be "
            '{"AWS_ACCESS_KEY_ID": "...", "AWS_SECRET_ACCESS_KEY": "..."}, with AWS_SESSION_TOKEN where there is one.'
        )
    return Keys(**{_S3_KEYS[name]: value for name, value in told.items()})
