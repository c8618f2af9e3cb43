"""Visits of bots, to be put beside the clicks of people: rows of devices that are nobody else's."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import numpy as np

from lstmrec.samples.raw_log import RawEvent, to_text

CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "python-requests/2.32.3",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36",
)
TRANSPORT = timedelta(milliseconds=100)


class Visit(NamedTuple):
    """What a kind of bot does: `rows` with the mean `pause`, which varies by so large a share of it."""

    kind: str
    rows: int
    pause: timedelta
    jitter: float
    agents: Sequence[str] = ()
    """None: that of the log's first row."""


CRAWLER: Final = Visit("crawler", 20, timedelta(seconds=40), 0.5, CRAWLERS)  # only the user agent tells
FAST: Final = Visit("fast", 200, timedelta(milliseconds=500), 0.5)  # only the rate tells: 120 a minute
STEADY: Final = Visit("steady", 30, timedelta(seconds=20), 0.0)  # only the even pace tells


def visits(events: Sequence[RawEvent], bots: int, visit: Visit, rng: np.random.Generator) -> list[RawEvent]:
    """One visit of each bot, on a day of the log, to items and with event types of the log's rows."""
    made = []
    for bot in range(bots):
        day = events[int(rng.integers(len(events)))].day
        start = datetime.combine(day, time(), UTC) + float(rng.random()) * timedelta(hours=23)
        created = start
        for row, place in enumerate(rng.integers(len(events), size=visit.rows).tolist()):
            created += visit.pause * float(1 + visit.jitter * rng.uniform(-1, 1))
            made.append(
                RawEvent(
                    event_id=f"{visit.kind}-{bot:04d}-{row:04d}",
                    device_id=f"{visit.kind}-{bot:04d}",
                    item_id=events[place].item_id,
                    event_type=events[place].event_type,
                    created_ts=to_text(created),
                    sent_ts=to_text(created + TRANSPORT),
                    received_ts=to_text(created + 2 * TRANSPORT),
                    user_agent=visit.agents[bot % len(visit.agents)]
                    if visit.agents
                    else events[0].user_agent,
                )
            )
    return made
