"""What each kind of dirt makes of one sound row. `turn` counts the rows of a kind, to vary its forms."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Self

import numpy as np

from lstmrec.samples.raw_log import RawEvent, SampleError, TextLine, to_instant, to_text

IMPOSSIBLE_TIMES = ("1970-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "yesterday, about noon")
UNKNOWN_TYPE = "teleport"
OVERSIZE_BYTES = 100_000
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Soil:
    """What the rows of a log have in common: its items, its last moment, and where chance comes from."""

    items: tuple[str, ...]
    end: datetime
    rng: np.random.Generator

    @classmethod
    def of(cls, events: Sequence[RawEvent], rng: np.random.Generator) -> Self:
        last_day = max(event.day for event in events)
        items = tuple(sorted({str(event.item_id) for event in events}))
        return cls(items, datetime.combine(last_day, time.max, UTC), rng)

    def between(self, low: timedelta, high: timedelta) -> timedelta:
        return low + (high - low) * float(self.rng.random())

    def later(self, instant: datetime, low: timedelta, high: timedelta) -> datetime:
        """A moment after `instant`, by `low` to `high` or less, so that it stays within the log."""
        delay = min(self.between(low, high), self.between(timedelta(0), self.end - instant))
        return instant + max(delay, timedelta(microseconds=1))


def arrival(event: RawEvent) -> datetime:
    """When the log received the row."""
    return to_instant(str(event.received_ts))


def require_sound(events: Sequence[RawEvent]) -> None:
    """Stop if a row has dirt already: the books would not be true."""
    for number, e in enumerate(events):
        needed = (e.event_id, e.item_id, e.event_type, e.created_ts, e.sent_ts, e.received_ts)
        if None in needed or (e.device_id is None and e.user_id is None):
            raise SampleError(
                f"row {number} of the log, {e}, lacks a field: dirt is planted into sound rows only"
            )


def redelivered(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """The same row again: each second time within the minute, else up to a day and a half later."""
    longest = 36 * HOUR if turn % 2 else 60 * SECOND
    return replace(event, received_ts=to_text(soil.later(arrival(event), SECOND, longest)))


def with_another_item(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """A row of the same id that says another item, received within the hour after the first."""
    if len(soil.items) < 2:
        raise SampleError("an id conflict needs another item, and the log has one only")
    place = soil.items.index(str(event.item_id)) + int(soil.rng.integers(1, len(soil.items)))
    received = to_text(soil.later(arrival(event), SECOND, HOUR))
    return replace(event, item_id=soil.items[place % len(soil.items)], received_ts=received)


def late(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """A device that was offline: what it did days ago it sends, and the log receives, at the row's time."""
    created = to_instant(str(event.sent_ts)) - soil.between(4 * DAY, 9 * DAY)
    return replace(event, created_ts=to_text(created))


def fast_clock(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """Without a time of sending, or set right before sending: either way it cannot be corrected."""
    created = arrival(event) + soil.between(HOUR, 12 * HOUR)
    return replace(event, created_ts=to_text(created), sent_ts=event.sent_ts if turn % 2 else None)


def slow_clock(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """Both times of the device too early by the same hours."""
    behind = soil.between(2 * HOUR, 20 * HOUR)
    created, sent = to_instant(str(event.created_ts)) - behind, to_instant(str(event.sent_ts)) - behind
    return replace(event, created_ts=to_text(created), sent_ts=to_text(sent))


def without_clock(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """Neither time of the device."""
    return replace(event, created_ts=None, sent_ts=None)


def impossible_created(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """A device that lost its clock: 1970, the end of time, or a text; the time of sending is sound."""
    return replace(event, created_ts=IMPOSSIBLE_TIMES[turn % 3])


def impossible_received(event: RawEvent, turn: int, soil: Soil) -> TextLine:
    """The row lies in the folder of the day it came on, though its time says another or none."""
    return TextLine(event.day, replace(event, received_ts=IMPOSSIBLE_TIMES[turn % 3]).text)


def truncated(event: RawEvent, turn: int, soil: Soil) -> TextLine:
    """The start of the line, at least one character short, so never a whole object."""
    return TextLine(event.day, event.text[: int(soil.rng.integers(1, len(event.text)))])


def not_json(event: RawEvent, turn: int, soil: Soil) -> TextLine:
    """A proxy's page, a form, and an object behind something else."""
    forms = (
        "<html><body>502 Bad Gateway</body></html>",
        f"event_id={event.event_id}",
        "event_id: " + event.text,
    )
    return TextLine(event.day, forms[turn % 3])


def not_an_object(event: RawEvent, turn: int, soil: Soil) -> TextLine:
    """A list around the event, the event as a text, a number, null: JSON, each of them."""
    forms = (f"[{event.text}]", json.dumps(event.text), "42", "null")
    return TextLine(event.day, forms[turn % 4])


def without_item(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """No item id."""
    return replace(event, item_id=None)


def without_person(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """Neither device nor user."""
    return replace(event, device_id=None, user_id=None)


def unknown_type(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """An event type that nobody has heard of."""
    return replace(event, event_type=UNKNOWN_TYPE)


def oversize(event: RawEvent, turn: int, soil: Soil) -> RawEvent:
    """A sound event with a note of more bytes than any click has."""
    return replace(event, extra={**event.extra, "note": "x" * OVERSIZE_BYTES})
