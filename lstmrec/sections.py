"""The sections of the configuration: one frozen model a part of the road, explained in conf/base.yaml.

That of the raw log is in mapping.py, those of the model and its training are in recipe.py.
"""

import re
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def regex(pattern: str) -> re.Pattern[str]:
    """The pattern compiled; where it cannot be, an error that says why, as a validator raises it."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


class Section(BaseModel):
    """Frozen; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeConfig(Section):
    root: str
    database: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class IngestConfig(Section):
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
    def _is_aregex(cls, pattern: str) -> str:
        regex(pattern)
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


class SessionsConfig(Section):
    gap_minutes: PositiveFloat
    max_hours: PositiveFloat
    max_events: PositiveInt
    bot_events_per_minute: PositiveFloat
    bot_hours: PositiveFloat
    bot_steady_events: Annotated[int, Field(ge=3)]
    bot_steady_variation: Annotated[float, Field(ge=0)]

    @property
    def gap(self) -> timedelta:
        return timedelta(minutes=self.gap_minutes)

    @property
    def max_duration(self) -> timedelta:
        return timedelta(hours=self.max_hours)

    @property
    def bot_duration(self) -> timedelta:
        return timedelta(hours=self.bot_hours)


class SequencesConfig(Section):
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


class EvaluationConfig(Section):
    ks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    bootstrap_resamples: PositiveInt
    bootstrap_seed: Annotated[int, Field(ge=0)]
    covisitation_window: PositiveInt
    covisitation_neighbours: PositiveInt
    cold_user_items: Annotated[int, Field(ge=0)]
    cold_item_histories: Annotated[int, Field(ge=0)]
    tail_share: Share
    history_bands: tuple[PositiveInt, ...]
    segment: str | None

    @field_validator("history_bands")
    @classmethod
    def _bands_rise(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if bands != tuple(sorted(set(bands))):
            raise ValueError("must rise")
        return bands


class Exclusion(Section):
    """Items that a user had in an event of these types, or of any, in the last so many days or ever."""

    event_types: Annotated[tuple[str, ...], Field(min_length=1)] | None
    days: PositiveInt | None


class ListRules(Section):
    """What may stand in a list, and how much of it; a part of the ruleset's version."""

    exclude: tuple[Exclusion, ...]
    min_stock_days: Annotated[int, Field(ge=0)]
    max_per_category: PositiveInt | None
    diversity: Annotated[float, Field(ge=0, le=1)]
    promoted_share: Annotated[float, Field(ge=0, le=0.5)]
    explore_places: Annotated[int, Field(ge=0)]
    segment_attribute: str | None
    segment_categories: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    popularity_days: PositiveInt

    @model_validator(mode="after")
    def _segments_have_an_attribute(self) -> Self:
        if self.segment_categories and self.segment_attribute is None:
            raise ValueError(
                "segment_categories needs segment_attribute, the attribute of users that says which"
            )
        return self


class ScoringConfig(Section):
    n: PositiveInt
    candidates: PositiveInt
    reasons: Annotated[int, Field(ge=0)]
    expires_days: PositiveInt
    users_per_block: PositiveInt
    rules: ListRules

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.candidates < self.n:
            raise ValueError("candidates must be at least n")
        if self.rules.explore_places >= self.n:
            raise ValueError("rules.explore_places must leave a place of n to the model")
        return self


class GateConfig(Section):
    min_users_share: Share
    max_fallback_share: Annotated[float, Field(ge=0, le=1)]
    min_overlap: Share
    max_overlap: Annotated[float, Field(ge=0, le=1)]
    margin: Annotated[float, Field(ge=0)]


class OutcomesConfig(Section):
    window_days: PositiveInt
    click_types: Annotated[tuple[str, ...], Field(min_length=1)] | None
    purchase_types: tuple[str, ...]


class UpkeepConfig(Section):
    retention_days: Annotated[int, Field(ge=0, le=30)]
    model_days: Annotated[int, Field(ge=0)]
    file_mb: PositiveInt


class ReportConfig(Section):
    folder: str
    runs: PositiveInt
    days: PositiveInt
    sample_users: Annotated[int, Field(ge=0)]


class TrackingConfig(Section):
    uri: str | None
    experiment: Annotated[str, Field(min_length=1)]

    @field_validator("uri")
    @classmethod
    def _has_mlflow(cls, uri: str | None) -> str | None:
        if uri is not None and find_spec("mlflow") is None:
            raise ValueError("needs MLflow, which is not installed: pip install 'lstmrec[tracking]'")
        return uri


class LogConfig(Section):
    format: Literal["console", "json"]


class SparkConfig(Section):
    shuffle_partitions: PositiveInt
    snapshot_partitions: PositiveInt
    write_mb: PositiveInt
