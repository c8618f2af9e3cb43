"""Nights of a small log that the oracle knows: files dropped into it, the jobs run, the tables read."""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from lstmrec.lake import tables as t
from lstmrec.lake.table import Table
from tests import oracle
from tests.jobs.logs import Log
from tests.jobs.shop import job

SETTINGS = {
    "source": {"site": oracle.SITE, "event_types": oracle.TYPES},
    "sessions": {
        "gap_minutes": 30,
        "max_hours": 1.5,
        "max_events": oracle.MOST,
        "bot_events_per_minute": oracle.BOT_RATE,
        "bot_hours": oracle.RESTLESS / timedelta(hours=1),
        "bot_steady_events": oracle.STEADY_EVENTS,
        "bot_steady_variation": oracle.STEADY_VARIATION,
    },
}


class Nights(Log):
    """The log and its lake; `folder` may hold both already, of other nights."""

    day = "2026-02-20"

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        super().__init__(spark, folder, SETTINGS)

    def drop(self, name: str, lines: Iterable[str]) -> None:
        """Put a file of lines into the log."""
        self.write(f"date={self.day}/{name}.json", "".join(f"{line}\n" for line in lines))

    def run(self) -> None:
        for name in ("ingest_events", "build_sessions"):
            job(name)(self.flags)

    def booked(self, of_job: str, outcome: str) -> int:
        """How many rows came to an outcome, over all runs of a job."""
        books = (row for row in self.rows(t.RUN_ACCOUNTING) if row["job"] == of_job)
        return sum(row["n_rows"] for row in books if row["outcome"] == outcome)

    def tables(self) -> oracle.Expected:
        """The three tables, in the form of the oracle's."""

        def of(table: Table, *columns: str) -> list[tuple[Any, ...]]:
            return [plain(row[name] for name in columns) for row in self.rows(table)]

        return oracle.Expected(
            events=sorted(of(t.EVENTS, *oracle.EVENT_COLUMNS), key=repr),
            quarantine=sorted(of(t.EVENTS_QUARANTINE, "reason", "payload")),
            sessions=sorted(of(t.SESSIONS, *oracle.SESSION_COLUMNS)),
        )


def click(event_id: str, minute: int, received: int | None = None, item: str = "a") -> str:
    """A sound line of ann's on that day, at so many minutes past ten."""
    time, receipt = (f"2026-02-20T10:{m:02}:00Z" for m in (minute, minute if received is None else received))
    return json.dumps(
        {
            "event_id": event_id, "user_id": "ann", "item_id": item, "event_type": "view",
            "created_ts": time, "received_ts": receipt,
        }
    )  # fmt: skip


def plain(row: Iterable[Any]) -> tuple[Any, ...]:
    """The row with UTC times and tuples for arrays, as the oracle has them."""
    return tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return plain(value)
    return value.astimezone(oracle.UTC) if hasattr(value, "astimezone") else value
