"""The section `source`: where the raw log is, and which of its fields is which."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from lstmrec import paths
from lstmrec.sections import PositiveFloat, Section, regex


def _path(text: str) -> str:
    paths.parse(text)
    return text


FieldPath = Annotated[str, AfterValidator(_path)]


class EventFields(Section):
    """Where in a record of the log each of our columns is; paths as in paths.py."""

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


class ItemFields(Section):
    """Fields of the catalogue file that have a column of their own; all others are attributes."""

    item_id: str
    title: str | None
    categories: str | None


class UserFields(Section):
    """The same of the users file."""

    user_id: str


class CsvConfig(Section):
    """How rows of CSV are read."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)]
    columns: Annotated[tuple[str, ...], Field(min_length=1)] | None


class SourceConfig(Section):
    """The raw log: place, format, and what its fields and event types are to us."""

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
        if set(regex(pattern).groupindex) != {"year", "month", "day"}:
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
