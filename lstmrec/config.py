"""conf/*.yaml and the environment, as one frozen, validated model; a wrong key is named with its file."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from lstmrec.errors import BadConfig

BASE = "base.yaml"
ENV_PREFIX = "LSTMREC_"
ENV_DELIMITER = "__"

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeConfig(_Section):
    root: str


class EventFields(_Section):
    event_id: str | None
    device_id: str | None
    user_id: str | None
    item_id: str
    event_type: str
    created_ts: str | None
    sent_ts: str | None
    received_ts: str | None
    user_agent: str | None

    @model_validator(mode="after")
    def _can_tell_who_and_when(self) -> Self:
        if self.device_id is None and self.user_id is None:
            raise ValueError("name a field for device_id, for user_id, or for both")
        if self.created_ts is None and self.received_ts is None:
            raise ValueError("name a field for created_ts, for received_ts, or for both")
        return self

    def named(self) -> dict[str, str]:
        """Our column -> the log's field, for the fields which the log has."""
        return {ours: theirs for ours, theirs in self.model_dump().items() if theirs is not None}


class ItemFields(_Section):
    item_id: str
    title: str | None
    categories: str | None


class UserFields(_Section):
    user_id: str


class SourceConfig(_Section):
    site: Annotated[str, Field(min_length=1)]
    events: str
    items: str | None
    users: str | None
    event_fields: EventFields
    time_format: Literal["iso8601", "epoch_seconds", "epoch_millis"]
    event_types: Annotated[dict[str, str], Field(min_length=1)]
    item_fields: ItemFields
    user_fields: UserFields


class IngestConfig(_Section):
    earliest: date
    latest: date
    clock_ahead_minutes: Annotated[float, Field(ge=0)]
    max_queue_days: PositiveFloat
    late_days: PositiveFloat
    max_payload_bytes: PositiveInt
    bot_user_agents: str

    @model_validator(mode="after")
    def _earliest_before_latest(self) -> Self:
        if self.earliest >= self.latest:
            raise ValueError("earliest must be before latest")
        return self

    @property
    def clock_ahead(self) -> timedelta:
        return timedelta(minutes=self.clock_ahead_minutes)

    @property
    def max_queue(self) -> timedelta:
        return timedelta(days=self.max_queue_days)

    @property
    def late(self) -> timedelta:
        return timedelta(days=self.late_days)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        midnight = datetime.min.time()
        return (
            datetime.combine(self.earliest, midnight, UTC),
            datetime.combine(self.latest, midnight, UTC),
        )


class SessionsConfig(_Section):
    gap_minutes: PositiveFloat
    max_hours: PositiveFloat
    max_events: PositiveInt
    bot_events_per_minute: PositiveFloat

    @property
    def gap(self) -> timedelta:
        return timedelta(minutes=self.gap_minutes)

    @property
    def max_duration(self) -> timedelta:
        return timedelta(hours=self.max_hours)


class SequencesConfig(_Section):
    grain: Literal["user", "session"]
    max_length: Annotated[int, Field(ge=2)]
    length_buckets: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    min_length: Annotated[int, Field(ge=3)]
    row_groups: PositiveInt

    @model_validator(mode="after")
    def _buckets_rise_to_max_length(self) -> Self:
        rising = tuple(sorted(set(self.length_buckets)))
        if self.length_buckets != rising or rising[-1] != self.max_length:
            raise ValueError("length_buckets must rise and end with max_length")
        return self


class ModelConfig(_Section):
    width: PositiveInt
    layers: PositiveInt
    embedding_dropout: Share
    dropout: Share
    use_event_types: bool
    use_gaps: bool


class TrainingConfig(_Section):
    launcher: Literal["spark", "horovodrun"]
    processes: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_epochs: Annotated[float, Field(ge=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    gradient_clip: PositiveFloat
    label_smoothing: Share
    max_epochs: PositiveInt
    patience: PositiveInt
    start_timeout_seconds: PositiveInt
    seed: Annotated[int, Field(ge=0)]
    artifacts: str

    @model_validator(mode="after")
    def _a_sequence_for_each_rank(self) -> Self:
        if self.batch_size % self.processes:
            raise ValueError("batch_size must be a multiple of processes: every rank takes an equal share")
        return self


class EvaluationConfig(_Section):
    ks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    bootstrap_resamples: PositiveInt
    bootstrap_seed: Annotated[int, Field(ge=0)]
    covisitation_window: PositiveInt
    covisitation_neighbours: PositiveInt


class ScoringConfig(_Section):
    n: PositiveInt
    popularity_days: PositiveInt
    users_per_block: PositiveInt


class LogConfig(_Section):
    format: Literal["console", "json"]


class SparkConfig(_Section):
    shuffle_partitions: PositiveInt
    snapshot_partitions: PositiveInt


class Config(BaseSettings):
    """Everything a run needs besides its flags; one section a part of the road."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
    )

    lake: LakeConfig
    source: SourceConfig
    ingest: IngestConfig
    sessions: SessionsConfig
    sequences: SequencesConfig
    model: ModelConfig
    training: TrainingConfig
    evaluation: EvaluationConfig
    scoring: ScoringConfig
    spark: SparkConfig
    log: LogConfig

    @model_validator(mode="after")
    def _a_row_group_for_each_rank(self) -> Self:
        if self.sequences.row_groups < self.training.processes:
            raise ValueError(
                "sequences.row_groups must be at least training.processes: ranks read whole row groups"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the files, which arrive as init values; nothing else is read."""
        return env_settings, init_settings


def load(path: Path) -> Config:
    """The configuration of `path` over the base.yaml beside it, under the environment.

    Raises
    ------
    BadConfig
        With one line a wrong key: the file (or environment variable) that set it, the key, the reason.
    """
    files = [path] if path.name == BASE else [path.with_name(BASE), path]
    layers = {str(file): _read(file) for file in files}
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = _merge(merged, layer)
    _require_known_variables()
    try:
        return Config(**merged)
    except ValidationError as error:
        raise BadConfig("; ".join(_line(e, layers) for e in error.errors())) from None
    except SettingsError as error:
        value = getattr(error.__cause__, "doc", None)
        names = ", ".join(name for name in _variables() if os.environ[name] == value) or ENV_PREFIX + "..."
        raise BadConfig(f"{names}: is not JSON, as a list or a section must be: got {value!r}") from None


def _variables() -> list[str]:
    return sorted(name for name in os.environ if name.upper().startswith(ENV_PREFIX))


def _require_known_variables() -> None:
    """Stop at a variable of an unknown section: the settings would pass over it in silence."""
    for name in _variables():
        section, delimiter, key = name.removeprefix(ENV_PREFIX).lower().partition(ENV_DELIMITER)
        if delimiter and section not in Config.model_fields:
            raise BadConfig(f"{name}: {section}.{key}: unknown key, got {os.environ[name]!r}")


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(
            f"{file}: cannot be read ({error.strerror}); give --conf a file beside {BASE}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadConfig(f"{file}: must be a mapping of sections, not a {type(content).__name__}")
    for key in content:
        if not isinstance(key, str):
            raise BadConfig(f"{file}: must be a mapping of sections, but has the key {key!r}")
    return content


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, mapping by mapping; a list replaces a list."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _line(error: ErrorDetails, layers: dict[str, dict[str, Any]]) -> str:
    key = [str(part) for part in error["loc"]]
    reason = (
        "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    )
    got = f", got {error['input']!r}" if isinstance(error["input"], str | int | float | bool) else ""
    broken_rule = error["type"] == "value_error"  # over several keys, which a variable below may have set
    below = _variables_below(key) if broken_rule else []
    origin = ", ".join([_origin(key, layers), *below])
    return ": ".join([origin, *filter(None, [".".join(key)]), reason]) + got


def _variables_below(key: list[str]) -> list[str]:
    prefix = ENV_PREFIX + "".join(f"{part.upper()}{ENV_DELIMITER}" for part in key)
    return [n for n in _variables() if n.upper().startswith(prefix) and ENV_DELIMITER in n]


def _origin(key: list[str], layers: dict[str, dict[str, Any]]) -> str:
    """Who set `key` last: an environment variable, or the topmost file that has the most of its path."""
    for depth in range(len(key), 0, -1):
        variable = ENV_PREFIX + ENV_DELIMITER.join(key[:depth]).upper()
        if variable in {name.upper() for name in _variables()}:
            return variable
        for file, layer in reversed(layers.items()):
            if _holds(layer, key[:depth]):
                return file
    return next(reversed(layers))


def _holds(layer: Any, key: list[str]) -> bool:
    for part in key:
        if not isinstance(layer, dict) or part not in layer:
            return False
        layer = layer[part]
    return True
