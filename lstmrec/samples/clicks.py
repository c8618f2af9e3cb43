"""A synthetic log as columns, and its events, catalogue and users as the raw log writes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np

from lstmrec.samples.plan import SyntheticPlan
from lstmrec.samples.raw_log import RawEvent, Record
from lstmrec.samples.schedule import DAY, SECOND
from lstmrec.samples.walk import Bools, Ints, Structure

EVENT_TYPES = ("view", "cart", "buy")
USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
)
OCCUPATIONS = ("artist", "engineer", "student", "teacher", "writer")


@dataclass(frozen=True, eq=False)
class SyntheticLog:
    """The log as columns, one entry per event in the order of receipt, and the truth behind it.

    Millions of events fit, since events become Python objects only as they are asked for.
    Times are microseconds since 1970 in UTC; `device` counts within a user.
    """

    plan: SyntheticPlan
    structure: Structure
    taste: Ints  # one a user
    has_account: Bools  # one a user
    number: Ints  # of the event, one user's after the other's; makes the event_id
    user: Ints
    device: Ints
    session: Ints
    item: Ints
    event_type: Ints
    logged_in: Bools
    created: Ints
    sent: Ints
    received: Ints

    def __len__(self) -> int:
        return self.number.size

    def events(self) -> list[RawEvent]:
        """All events in the order of receipt."""
        return [event for _, events in self.days() for event in events]

    def days(self) -> Iterator[tuple[date, Iterator[RawEvent]]]:
        """The events of each day that has any, days ascending; made one day at a time."""
        midnights = midnight(self.plan.start_day) + DAY * np.arange(self.plan.days + 1)
        edges = np.searchsorted(self.received, midnights)
        for number, (start, end) in enumerate(pairwise(edges.tolist())):
            if start < end:
                yield self.plan.start_day + timedelta(days=number), self._rows(slice(start, end))

    def _rows(self, rows: slice) -> Iterator[RawEvent]:
        columns = (self.number, self.user, self.device, self.item, self.event_type, self.logged_in)
        times = (self.created, self.sent, self.received)
        texts = [
            np.datetime_as_string(time[rows].view("datetime64[us]"), timezone="UTC").tolist()
            for time in times
        ]
        for number, user, device, item, event_type, logged_in, created, sent, received in zip(
            *(column[rows].tolist() for column in columns), *texts, strict=True
        ):
            yield RawEvent(
                event_id=f"ev-{number:09d}",
                device_id=f"device-{user:07d}-{device}",
                user_id=_user_id(user) if logged_in else None,
                item_id=_item_id(item),
                event_type=EVENT_TYPES[event_type],
                created_ts=created,
                sent_ts=sent,
                received_ts=received,
                user_agent=USER_AGENTS[(user + device) % len(USER_AGENTS)],
            )

    def items(self) -> Iterator[Record]:
        """The catalogue; an item's genre is its cluster."""
        for item, cluster in enumerate(self.structure.cluster.tolist()):
            genres = [f"cluster-{cluster}"]
            yield {
                "item_id": _item_id(item),
                "title": f"Item {item}",
                "year": 1990 + item % 35,
                "genres": genres,
            }

    def users(self) -> Iterator[Record]:
        """The attributes of the users who have an account; they say nothing of the taste."""
        rng = self.plan.rng("users")
        ages = rng.integers(18, 80, self.plan.users).tolist()
        genders = rng.integers(2, size=self.plan.users).tolist()
        jobs = rng.integers(len(OCCUPATIONS), size=self.plan.users).tolist()
        for user in np.flatnonzero(self.has_account).tolist():
            attributes = {
                "age": ages[user],
                "gender": "FM"[genders[user]],
                "occupation": OCCUPATIONS[jobs[user]],
            }
            yield {"user_id": _user_id(user)} | attributes


def midnight(day: date) -> int:
    """The start of the day in UTC, in microseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND


def _user_id(user: int) -> str:
    return f"user-{user:07d}"


def _item_id(item: int) -> str:
    return f"item-{item:06d}"
