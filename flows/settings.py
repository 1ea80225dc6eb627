"""The settings: defaults < fivefold.toml < FIVEFOLD_* < flags."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError as UnreadableSetting

from mtl_models.config import Frozen, ModelConfig
from tasks.experiment_settings import ExperimentsConfig
from tasks.night import (
    DecisionConfig,
    ExplanationConfig,
    FeatureConfig,
    MonitoringConfig,
    Night,
    PublishConfig,
    ValidationConfig,
)
from tasks.postgres_settings import PostgresConfig
from warehouse.postgres.address import refuse_secrets

PREFIX = "FIVEFOLD_"
# As the database reads sizes; it takes none for no limit, and runs out at once with 0.
_SIZE = re.compile(r"(?=[0-9.]*[1-9])[0-9]+(\.[0-9]+)? ?[KMGT]i?B", re.IGNORECASE)
# They steer where settings come from and how errors look, so they are not settings themselves.
CONTROL_VARIABLES = frozenset({"FIVEFOLD_CONFIG", "FIVEFOLD_DEBUG", "FIVEFOLD_PSEUDONYM_KEY"})


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it, where it stands and the remedy."""


class ScheduleConfig(Frozen):
    """When `fivefold serve` starts what."""

    cron: str = Field(
        "0 2 * * *",
        description="Cron expression of the night, empty means never by itself; where clocks change between 02:00 and "
        "03:00, that night may come an hour early",
    )
    tune_cron: str = Field("0 5 * * 0", description="Cron expression of the weekly tune; empty means never by itself")
    time_zone: str = Field("auto", description="Time zone of the cron expressions; auto takes the shop's")


class Settings(BaseSettings):
    """Everything that shapes a night; also the parameter form of the flow in the Prefect UI."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        # An address that is refused for its password must not be quoted by whoever prints the error.
        hide_input_in_errors=True,
    )

    home: Path = Field(Path(".fivefold"), description="Folder that holds everything a night writes")
    source: str = Field("demo_shop:small", description="Where the feeds come from: NAME or NAME:LOCATION")
    time_zone: str = Field("auto", description="Business time zone, such as Europe/Berlin; auto takes the source's")
    currency: str = Field("auto", description="ISO currency of the shop; auto takes the source's")
    threads: int | None = Field(None, ge=1, description="Threads of the database; empty means every core")
    memory_limit: str = Field("3GB", description="Memory of the database; beyond it, it spills to disk")
    engine: Literal["local", "ray"] = Field(
        "local",
        description="Where heavy features are built, the model is trained and predictions are made: in the night's "
        "process, or on a Ray cluster",
    )
    engine_address: str = Field(
        "local",
        min_length=1,
        description="Address of the Ray cluster, such as 10.0.0.5:6379; local starts one on this machine for each "
        "night",
    )
    validation: ValidationConfig = Field(default_factory=ValidationConfig, description="Checks of the feeds")
    features: FeatureConfig = Field(default_factory=FeatureConfig, description="Cut-offs and training samples")
    model: ModelConfig = Field(default_factory=ModelConfig, description="The joint model and its training")
    decisions: DecisionConfig = Field(default_factory=DecisionConfig, description="From predictions to decisions")
    experiments: ExperimentsConfig = Field(default_factory=ExperimentsConfig, description="Holdout and experiments")
    explanations: ExplanationConfig = Field(default_factory=ExplanationConfig, description="Reasons of decisions")
    publish: PublishConfig = Field(default_factory=PublishConfig, description="The published file")
    monitoring: MonitoringConfig = Field(default_factory=MonitoringConfig, description="Outcomes, drift and alerts")
    postgres: PostgresConfig = Field(default_factory=PostgresConfig, description="PostgreSQL as a source")
    schedule: ScheduleConfig = Field(default_factory=ScheduleConfig, description="When what starts")
    s3_keys_block: str = Field(
        "",
        description='Prefect Secret block with the keys of s3:// at both ends, {"AWS_ACCESS_KEY_ID": "...", '
        '"AWS_SECRET_ACCESS_KEY": "..."}; without one, the environment has them, or the role of the machine',
    )
    pseudonym_key_block: str = Field(
        "",
        description="Prefect Secret block with the key under which ids of users and visitors are kept as hashes; "
        "without one, FIVEFOLD_PSEUDONYM_KEY has it, or ids stay as they are delivered",
    )
    notify: SkipJsonSchema[tuple[SecretStr, ...]] = Field(
        (),
        exclude=True,
        description="Who is told of failures, gates that stopped a night, and what a person should look at: Apprise "
        "URLs such as slack://..., or Prefect blocks such as slack-webhook/ops",
    )

    @field_validator("source")
    @classmethod
    def _tells_no_secret(cls, source: str) -> str:
        refuse_secrets(source)
        return source

    @field_validator("memory_limit")
    @classmethod
    def _is_a_size(cls, limit: str) -> str:
        if not _SIZE.fullmatch(limit):
            raise ValueError(f"{limit!r} is no size. Remedy: write it as 3GB or 2.5GiB.")
        return limit

    @field_validator("notify")
    @classmethod
    def _names_somebody(cls, notify: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, target in enumerate(notify, start=1):
            if "/" not in target.get_secret_value():
                raise ValueError(
                    f"entry {number} is neither an Apprise URL nor a Prefect block. "
                    "Remedy: write it as slack://..., or as slack-webhook/ops."
                )
        return notify

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file; a key that nobody knows is refused on the way."""
        file = config_file()
        _refuse_unknown_variables(os.environ)
        if file is None:
            return init_settings, env_settings
        _refuse_unknown_keys(_read_toml(file), str(file))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    def night(self, run_id: str, as_of_date: date, time_zone: str, currency: str) -> Night:
        """One night under these settings; `time_zone` and `currency` are the source's, used where ours say auto."""
        return Night(
            run_id=run_id,
            as_of_date=as_of_date,
            source=self.source,
            home=self.home.resolve(),
            time_zone=time_zone if self.time_zone == "auto" else self.time_zone,
            currency=currency if self.currency == "auto" else self.currency,
            threads=self.threads,
            memory_limit=self.memory_limit,
            engine=self.engine,
            engine_address=self.engine_address,
            validation=self.validation,
            features=self.features,
            model=self.model,
            decisions=self.decisions,
            experiments=self.experiments,
            explanations=self.explanations,
            publish=self.publish,
            monitoring=self.monitoring,
            postgres=self.postgres,
        )


def load_settings(**flags: Any) -> Settings:
    """The settings in force. Flags that are None do not count; SettingsError says what is wrong and where."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(_in_words(error)) from None
    except UnreadableSetting as error:
        raise SettingsError(f"{error}. Remedy: write the value as JSON, such as [256, 128].") from None


def pseudonym_key() -> SecretStr | None:
    """The key of pseudonyms in FIVEFOLD_PSEUDONYM_KEY. No setting: it is in no file and on no form."""
    key = os.environ.get("FIVEFOLD_PSEUDONYM_KEY")
    return SecretStr(key) if key else None


def config_file() -> Path | None:
    """The settings file: FIVEFOLD_CONFIG, else fivefold.toml in the current folder, else None."""
    chosen = os.environ.get("FIVEFOLD_CONFIG")
    file = Path(chosen or "fivefold.toml")
    if chosen and not file.is_file():
        raise SettingsError(f"FIVEFOLD_CONFIG names {file}, which is not a file. Remedy: correct or unset it.")
    return file if file.is_file() else None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}. Remedy: correct that line.") from None


def setting_names(model: type[BaseModel] = Settings) -> Iterator[str]:
    """Every key, sections before what they hold, nested ones joined by a dot: model, model.sharing, ..."""
    for name, field in model.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (f"{name}.{inner}" for inner in setting_names(field.annotation))


def _refuse_unknown_keys(tree: Mapping[str, Any], origin: str, path: str = "") -> None:
    known = set(setting_names())
    for name, value in tree.items():
        key = f"{path}{name}"
        if key not in known:
            raise SettingsError(_unknown(key, known, origin))
        if isinstance(value, Mapping) and any(inner.startswith(f"{key}.") for inner in known):
            _refuse_unknown_keys(value, origin, f"{key}.")


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {PREFIX + name.replace(".", "__").upper() for name in setting_names()}
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known | CONTROL_VARIABLES:
            raise SettingsError(_unknown(variable, known, "the environment"))


def _unknown(key: str, known: set[str], origin: str) -> str:
    near = get_close_matches(key, sorted(known), n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"{origin}: there is no setting {key!r}.{hint} Remedy: correct or remove it; docs/settings.md lists them all."
    )


def _in_words(error: ValidationError) -> str:
    """The first problem as one sentence, with the number of the others."""
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        sentence = _unknown(key, set(setting_names()), "settings")
    elif first["type"] == "value_error":  # settings that do not go together, in our own words
        sentence = f"settings of {key!r}: {first['ctx']['error']}"
    else:
        variable = PREFIX + key.replace(".", "__").upper()
        shown = "that" if key.startswith("notify") else repr(first["input"])  # an address is a secret
        sentence = (
            f"setting {key!r} cannot be {shown}: {first['msg']}. "
            f"Remedy: correct it in fivefold.toml, in {variable} or in the flag."
        )
    return sentence + (f" ({len(problems) - 1} more problems)" if len(problems) > 1 else "")
