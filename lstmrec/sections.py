"""The sections of the configuration: one frozen model a part of the road, explained in conf/base.yaml."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from lstmrec import paths

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _path(text: str) -> str:
    paths.parse(text)
    return text


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeConfig(_Section):
    root: str


FieldPath = Annotated[str, AfterValidator(_path)]


class EventFields(_Section):
    event_id: FieldPath | None
    device_id: FieldPath | None
    user_id: FieldPath | None
    item_id: FieldPath
    event_type: FieldPath | None
    created_ts: FieldPath | None
    sent_ts: FieldPath | None
    received_ts: FieldPath | None
    user_agent: FieldPath | None

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


class CsvConfig(_Section):
    delimiter: Annotated[str, Field(min_length=1, max_length=1)]
    columns: Annotated[tuple[str, ...], Field(min_length=1)] | None


class SourceConfig(_Section):
    site: Annotated[str, Field(pattern="^[^/#]+$")]  # it ends where an event_key has one of these
    events: str
    corrections: str | None
    items: str | None
    users: str | None
    format: Literal["json", "csv", "parquet"]
    csv: CsvConfig
    day_pattern: str
    explode: FieldPath | None
    null_texts: tuple[str, ...]
    event_fields: EventFields
    only_event_type: str | None
    time_format: Literal["iso8601", "epoch_seconds", "epoch_millis", "epoch_micros", "epoch_nanos"]
    event_types: Annotated[dict[str, str | None], Field(min_length=1)]
    event_weights: dict[str, PositiveFloat]
    item_fields: ItemFields
    user_fields: UserFields

    @field_validator("day_pattern")
    @classmethod
    def _finds_a_day(cls, pattern: str) -> str:
        if set(_regex(pattern).groupindex) != {"year", "month", "day"}:
            raise ValueError("must have the groups (?P<year>...), (?P<month>...) and (?P<day>...)")
        return pattern

    @model_validator(mode="after")
    def _has_one_event_type(self) -> Self:
        if (self.event_fields.event_type is None) == (self.only_event_type is None):
            raise ValueError("set event_fields.event_type or only_event_type, and the other to null")
        return self

    @model_validator(mode="after")
    def _weighs_its_own_types(self) -> Self:
        if unknown := set(self.event_weights) - self.vocabulary:
            raise ValueError(f"event_weights names {sorted(unknown)}, which event_types gives to no event")
        return self

    @property
    def vocabulary(self) -> set[str]:
        """Our event types."""
        named = {ours for ours in self.event_types.values() if ours is not None}
        return named | ({self.only_event_type} if self.only_event_type else set())


class IngestConfig(_Section):
    earliest: date
    latest: date
    clock_ahead_minutes: Annotated[float, Field(ge=0)]
    max_queue_days: PositiveFloat
    late_days: PositiveFloat
    max_payload_bytes: PositiveInt
    max_kept_bytes: PositiveInt
    max_id_chars: PositiveInt
    bot_user_agents: str

    @field_validator("bot_user_agents")
    @classmethod
    def _is_a_regex(cls, pattern: str) -> str:
        _regex(pattern)
        return pattern

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
    loss: Literal["auto", "full", "sampled", "bpr_max"]
    full_up_to_items: PositiveInt
    label_smoothing: Share
    later_items: Share
    negatives: PositiveInt
    negatives_alpha: Annotated[float, Field(ge=0, le=1)]
    bpr_max_penalty: Annotated[float, Field(ge=0)]
    average_epochs: Annotated[float, Field(ge=0)]
    max_epochs: PositiveInt
    seen_items: Literal["left_out", "ranked"]
    learn_from: Literal["train", "train_and_validation"]
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
