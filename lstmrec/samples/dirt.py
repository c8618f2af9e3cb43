"""Plant dirt of every kind into a sound log and keep the books, so that a test can check an ingest's.

Dirt comes in rows: a row gets one kind at most, and rows that are not named in the books are as
they were. The result is a pure function of the events, the numbers asked for and the seed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np

from lstmrec.samples import bots, spoil
from lstmrec.samples.raw_log import RawEvent, RawLine, SampleError


class Dirt(Enum):
    """The kinds of dirt: what such a row looks like, and what its event time then is."""

    REDELIVERED = "redelivered"  # a second row, the same but received later
    ID_CONFLICT = "id_conflict"  # a second row with the same id but another item, received later
    LATE = "late"  # created, by a sound clock, 4 to 9 days before it was sent
    FAST_CLOCK = "fast_clock"  # created hours after it was received: the event time is the receipt
    SLOW_CLOCK = "slow_clock"  # created and sent too early by the same hours: sent - created still tells
    NO_CLOCK = "no_clock"  # neither created nor sent: the event time is the receipt
    IMPOSSIBLE_CREATED = "impossible_created"  # 1970, 9999 or no time at all: the event time is the receipt
    IMPOSSIBLE_RECEIVED = "impossible_received"  # the same, of the collector's time
    TRUNCATED = "truncated"  # a line cut off within its JSON object
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"  # JSON, but a list, a text, a number or null
    NO_ITEM = "no_item"
    NO_PERSON = "no_person"  # neither device nor user
    UNKNOWN_TYPE = "unknown_type"
    OVERSIZE = "oversize"  # a line of more than 100,000 bytes
    BOT_AGENT = "bot_agent"  # further rows: a device whose user agent says it is a robot
    BOT_RATE = "bot_rate"  # further rows: a device like any other that is faster than a person
    BOT_PACE = "bot_pace"  # further rows: a device like any other whose pauses are all the same

    @property
    def is_bot(self) -> bool:
        return self in VISITS

    @property
    def adds_rows(self) -> bool:
        """Whether the kind puts rows beside those of the log, rather than changing some of them."""
        return self.is_bot or self in (Dirt.REDELIVERED, Dirt.ID_CONFLICT)


VISITS: Mapping[Dirt, bots.Visit] = {
    Dirt.BOT_AGENT: bots.CRAWLER,
    Dirt.BOT_RATE: bots.FAST,
    Dirt.BOT_PACE: bots.STEADY,
}

# What each kind that starts from a row of the log makes of it; turn counts the rows of the kind
SPOILED: Mapping[Dirt, Callable[[RawEvent, int, spoil.Soil], RawLine]] = {
    Dirt.REDELIVERED: spoil.redelivered,
    Dirt.ID_CONFLICT: spoil.with_another_item,
    Dirt.LATE: spoil.late,
    Dirt.FAST_CLOCK: spoil.fast_clock,
    Dirt.SLOW_CLOCK: spoil.slow_clock,
    Dirt.NO_CLOCK: spoil.without_clock,
    Dirt.IMPOSSIBLE_CREATED: spoil.impossible_created,
    Dirt.IMPOSSIBLE_RECEIVED: spoil.impossible_received,
    Dirt.TRUNCATED: spoil.truncated,
    Dirt.NOT_JSON: spoil.not_json,
    Dirt.NOT_AN_OBJECT: spoil.not_an_object,
    Dirt.NO_ITEM: spoil.without_item,
    Dirt.NO_PERSON: spoil.without_person,
    Dirt.UNKNOWN_TYPE: spoil.unknown_type,
    Dirt.OVERSIZE: spoil.oversize,
}


@dataclass(frozen=True)
class Planted:
    """The books: for each kind the event ids of its rows, one a row, in the order of planting.

    A broken row is named by the id it had, a copy by the id it shares with the row it copies.
    """

    event_ids: Mapping[Dirt, tuple[str, ...]]
    rows_in: int
    rows_out: int

    @property
    def counts(self) -> dict[Dirt, int]:
        return {kind: len(ids) for kind, ids in self.event_ids.items()}


def plant(
    events: Sequence[RawEvent], numbers: Mapping[Dirt, int], seed: int
) -> tuple[list[RawLine], Planted]:
    """The log with dirt in it, in the order of receipt, and the books of what was planted.

    `numbers` says how many rows of a kind, and for the kinds of bots how many bots. All rows
    stay within the days of the log: dirt adds no folder.
    """
    spoil.require_sound(events)
    victims = sum(number for kind, number in numbers.items() if not kind.is_bot)
    if victims > len(events):
        raise SampleError(f"{victims} rows of dirt do not fit into {len(events)} events: a row gets one kind")
    if not events:
        return [], Planted(dict.fromkeys(Dirt, ()), rows_in=0, rows_out=0)

    rng = np.random.default_rng([seed, *b"dirt"])
    soil = spoil.Soil.of(events, rng)
    victim = iter(rng.permutation(len(events)).tolist())
    rows: list[tuple[datetime, RawLine]] = [(spoil.arrival(event), event) for event in events]
    books: dict[Dirt, tuple[str, ...]] = {}
    for kind in Dirt:
        if kind.is_bot:
            added = bots.visits(events, numbers.get(kind, 0), VISITS[kind], rng)
            rows += [(spoil.arrival(row), row) for row in added]
            books[kind] = tuple(str(row.event_id) for row in added)
            continue
        places = [next(victim) for _ in range(numbers.get(kind, 0))]
        books[kind] = tuple(str(events[place].event_id) for place in places)
        for turn, place in enumerate(places):
            line = SPOILED[kind](events[place], turn, soil)
            if kind.adds_rows and isinstance(line, RawEvent):
                rows.append((spoil.arrival(line), line))
            else:
                rows[place] = (rows[place][0], line)
    rows.sort(key=lambda row: row[0])  # stable: of equal times, the log's own rows come first
    return [line for _, line in rows], Planted(books, rows_in=len(events), rows_out=len(rows))
