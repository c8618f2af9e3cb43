"""Visits of bots, to be put beside the clicks of people: rows of devices that are nobody else's."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import numpy as np

from lstmrec.samples.raw_log import RawEvent, to_text

CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "python-requests/2.32.3",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36",
)
CRAWLER_ROWS = 20  # a visit, at the pace of a person: only the user agent tells
CRAWLER_PAUSE = timedelta(seconds=40)
FAST_ROWS = 200  # a visit, over more than a minute and a half: only the rate tells
FAST_PAUSE = timedelta(milliseconds=500)  # 120 events a minute
TRANSPORT = timedelta(milliseconds=100)


def visits(events: Sequence[RawEvent], bots: int, *, fast: bool, rng: np.random.Generator) -> list[RawEvent]:
    """One visit of each bot, on a day of the log, to items and with event types of the log's rows."""
    kind, rows, pause = ("fast", FAST_ROWS, FAST_PAUSE) if fast else ("crawler", CRAWLER_ROWS, CRAWLER_PAUSE)
    made = []
    for bot in range(bots):
        day = events[int(rng.integers(len(events)))].day
        start = datetime.combine(day, time(), UTC) + float(rng.random()) * timedelta(hours=23)
        for row, place in enumerate(rng.integers(len(events), size=rows).tolist()):
            created = start + row * pause
            made.append(
                RawEvent(
                    event_id=f"{kind}-{bot:04d}-{row:04d}",
                    device_id=f"{kind}-{bot:04d}",
                    item_id=events[place].item_id,
                    event_type=events[place].event_type,
                    created_ts=to_text(created),
                    sent_ts=to_text(created + TRANSPORT),
                    received_ts=to_text(created + 2 * TRANSPORT),
                    user_agent=events[0].user_agent if fast else CRAWLERS[bot % len(CRAWLERS)],
                )
            )
    return made
