"""A lake of its own for a test: files dropped into its log, the jobs run on it, and its tables read back."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, SparkSession

from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from tests import oracle
from tests.jobs.shop import ROOT, job

DAY = "2026-02-20"
SETTINGS = {
    "source": {"site": oracle.SITE, "event_types": oracle.TYPES},
    "sessions": {
        "gap_minutes": 30,
        "max_hours": 1.5,
        "max_events": oracle.MOST,
        "bot_events_per_minute": oracle.BOT_RATE,
    },
}


@dataclass(frozen=True)
class Nights:
    folder: Path
    spark: SparkSession

    @classmethod
    def make(cls, folder: Path, spark: SparkSession) -> "Nights":
        (folder / "log").mkdir(parents=True)
        shutil.copy(ROOT / "conf" / "base.yaml", folder / "base.yaml")
        settings = {**SETTINGS, "lake": {"root": str(folder / "lake")}}
        settings["source"] = {**SETTINGS["source"], "events": str(folder / "log")}
        (folder / "own.yaml").write_text(yaml.safe_dump(settings))
        return cls(folder, spark)

    @property
    def flags(self) -> list[str]:
        return ["--conf", str(self.folder / "own.yaml"), "--run-date", DAY]

    def drop(self, name: str, lines: Iterable[str]) -> None:
        """Put a file of lines into the log."""
        path = self.folder / "log" / f"date={DAY}" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))

    def run(self, *names: str) -> None:
        for name in names or ("ingest_events", "build_sessions"):
            job(name)(self.flags)

    def rows(self, table: Table) -> DataFrame:
        return Lake(self.spark, str(self.folder / "lake"), {}).read(table)

    def tables(self) -> oracle.Expected:
        """The three tables, in the form of the oracle's."""
        events = self.rows(t.EVENTS).select(*oracle.EVENT_COLUMNS).collect()
        kept = self.rows(t.EVENTS_QUARANTINE).select("reason", "payload").collect()
        cut = self.rows(t.SESSIONS).select(*oracle.SESSION_COLUMNS).collect()
        return oracle.Expected(
            events=sorted((plain(row) for row in events), key=repr),
            quarantine=sorted(plain(row) for row in kept),
            sessions=sorted(plain(row) for row in cut),
        )


def plain(row: Iterable[Any]) -> tuple[Any, ...]:
    """The row with UTC times and tuples for arrays, as the oracle has them."""
    return tuple(_plain(value) for value in row)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return plain(value)
    return value.astimezone(oracle.UTC) if hasattr(value, "astimezone") else value
