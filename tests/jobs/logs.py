"""A log of any layout, written by a test, and the lake that the jobs fill from it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import Row, SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from tests.jobs.shop import ROOT, job


class Log:
    """A log of some layout and the lake that it goes into, with their configuration in `folder`."""

    day = "2026-01-31"

    def __init__(self, spark: SparkSession, folder: Path, conf: Mapping[str, Any]) -> None:
        self.spark, self.folder, self.log = spark, folder, folder / "log"
        shutil.copy(ROOT / "conf" / "base.yaml", folder / "base.yaml")
        settings = {**conf, "lake": {"root": str(folder / "lake")}}
        settings["source"] = {**conf["source"], "events": str(self.log)}
        (folder / "own.yaml").write_text(yaml.safe_dump(settings))

    def write(self, name: str, content: str | bytes) -> None:
        path = self.log / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    @property
    def flags(self) -> list[str]:
        return ["--conf", str(self.folder / "own.yaml"), "--run-date", self.day]

    def ingest(self) -> None:
        job("ingest_events")(self.flags)

    def rows(self, table: Table) -> list[Row]:
        return Lake(self.spark, str(self.folder / "lake"), {}).read(table).collect()

    def events(self) -> list[Row]:
        return sorted(self.rows(t.EVENTS), key=lambda row: (row[c.EVENT_TS], row[c.ITEM_ID]))

    def books(self, of_job: str = "ingest_events") -> dict[str, int]:
        books = [row for row in self.rows(t.RUN_ACCOUNTING) if row[c.JOB] == of_job]
        return {row[c.OUTCOME]: row[c.N_ROWS] for row in books}

    def rejected(self) -> set[tuple[str, str]]:
        return {(row[c.REASON], row[c.PAYLOAD]) for row in self.rows(t.EVENTS_QUARANTINE)}
