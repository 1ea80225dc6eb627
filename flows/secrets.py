"""The databases that the settings name, with the passwords that Prefect keeps."""

from __future__ import annotations

from pydantic import SecretStr

from flows.settings import Settings, SettingsError
from tasks.postgres_settings import Secrets
from warehouse.sources import Source, open_source


def load_secrets(settings: Settings) -> Secrets:
    """The passwords of the source and of what is published to; None each where libpq finds it by itself.

    SettingsError names a block that cannot be loaded.
    """
    return Secrets(
        source_password=_of_block(settings.postgres.password_block, "postgres.password_block"),
        publish_password=_of_block(settings.publish.postgres_password_block, "publish.postgres_password_block"),
    )


def open_settings_source(settings: Settings) -> Source:
    """The source that the settings name, as they say how to read it."""
    options = settings.postgres.options(load_secrets(settings).source_password)
    return open_source(settings.source, home=settings.home, options=options)


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
