"""The databases that the settings name, with the passwords that Prefect keeps."""

from __future__ import annotations

from pydantic import SecretStr

from flows.settings import Settings, SettingsError, pseudonym_key
from tasks.postgres_settings import Secrets
from warehouse.sources import Source, open_source

_SHORTEST_KEY = 32


def load_secrets(settings: Settings) -> Secrets:
    """The passwords of the source and of what is published to, None each where libpq finds it by itself, and the key
    of pseudonyms, None where ids stay as they are delivered.

    SettingsError names a block that cannot be loaded, and a key that is too short.
    """
    return Secrets(
        source_password=_of_block(settings.postgres.password_block, "postgres.password_block"),
        publish_password=_of_block(settings.publish.postgres_password_block, "publish.postgres_password_block"),
        pseudonym_key=_long_enough(_of_block(settings.pseudonym_key_block, "pseudonym_key_block") or pseudonym_key()),
    )


def open_settings_source(settings: Settings) -> Source:
    """The source that the settings name, as they say how to read it."""
    options = settings.postgres.options(load_secrets(settings).source_password)
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
    return SecretStr(str(block.get()))  # type: ignore[union-attr]
