"""Settings of PostgreSQL as a source, and the passwords of a night."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, SecretStr, field_validator

from mtl_models.config import Frozen
from warehouse.contracts import feed
from warehouse.object_storage.store import Keys
from warehouse.sources.base import SourceOptions


class PostgresConfig(Frozen):
    """Reading feeds from PostgreSQL (`source = "postgres:postgresql://USER@HOST/DATABASE"`)."""

    default_schema: str = Field("public", description="Schema with a table or view named as each feed")
    tables: Mapping[str, str] = Field(
        default_factory=dict,
        description='Where a feed is instead, such as `tables = { orders = "sales.orders_for_fivefold" }`',
    )
    updated_column: str = Field(
        "updated_at",
        description="Column that says when a row last changed: a table with it is read from there on, another whole",
    )
    deleted_column: str = Field(
        "deleted_at", description="Column, a moment or a boolean, that marks a row as deleted where a table has it"
    )
    overlap_minutes: float = Field(
        60,
        ge=0,
        description="What changed so long before the newest change of the night before is read again: transactions "
        "commit later than they note a change, and clocks differ",
    )
    password_block: str = Field(
        "",
        description="Prefect Secret block with the password; without one, PGPASSWORD or the passfile has it",
    )

    @field_validator("tables")
    @classmethod
    def _names_feeds(cls, tables: Mapping[str, str]) -> Mapping[str, str]:
        for name in tables:
            try:
                feed(name)
            except LookupError as error:
                raise ValueError(f"{str(error).rstrip('?')}. Remedy: `fivefold feeds list` names them all.") from None
        return tables

    def options(self, secrets: Secrets) -> SourceOptions:
        """The same for a source, with what it needs of the secrets."""
        password = secrets.source_password
        return SourceOptions(
            schema=self.default_schema,
            tables=self.tables,
            updated_column=self.updated_column,
            deleted_column=self.deleted_column,
            overlap_minutes=self.overlap_minutes,
            password=password.get_secret_value() if password else None,
            s3_keys=secrets.s3_keys,
        )


class Secrets(Frozen):
    """Passwords and keys of one night. Whatever writes a night down leaves them out."""

    source_password: SecretStr | None = None
    publish_password: SecretStr | None = None
    s3_keys: Keys | None = None
    pseudonym_key: SecretStr | None = None
