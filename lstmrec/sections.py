"""The sections of the configuration: one frozen model a part of the road, explained in conf/base.yaml."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
