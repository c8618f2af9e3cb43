"""The history that nights of catalogue files make: forward only, and no write where nothing is new."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake.store import Lake
from tests.jobs.logs import Log
from tests.jobs.shop import job

pytestmark = pytest.mark.slow

SATURDAY, SUNDAY, MONDAY = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2))


class Catalogue(Log):
    """A file of items, and `items` as nights of it make them."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.file = folder / "items.jsonl"
        super().__init__(spark, folder, {"source": {"items": str(self.file), "users": None}})

    def night(self, day: date, titles: Mapping[str, str]) -> None:
        lines = (json.dumps({"item_id": item, "title": title}) for item, title in titles.items())
        self.file.write_text("".join(f"{line}\n" for line in lines))
        job("ingest_catalogue")([*self.flags[:-1], day.isoformat()])

    def history(self) -> set[tuple[str, str, date, date | None]]:
        return {(r[c.ITEM_ID], r["title"], r[c.VALID_FROM], r[c.VALID_TO]) for r in self.rows(t.ITEMS)}

    def version(self) -> int:
        return Lake(self.spark, str(self.folder / "lake"), {}).version(t.ITEMS)


@pytest.fixture
def catalogue(spark: SparkSession, tmp_path: Path) -> Catalogue:
    return Catalogue(spark, tmp_path)


def test_an_earlier_day_is_left_alone_also_where_the_later_one_brought_nothing_new(
    catalogue: Catalogue,
) -> None:
    catalogue.night(SATURDAY, {"a": "Heat"})
    catalogue.night(MONDAY, {"a": "Heat"})
    catalogue.night(SUNDAY, {"b": "Up"})  # done again, with the file of another day
    assert catalogue.history() == {("a", "Heat", SATURDAY, None)}
    catalogue.night(MONDAY, {"b": "Up"})  # the newest day can be
    assert catalogue.history() == {("a", "Heat", SATURDAY, MONDAY), ("b", "Up", MONDAY, None)}


def test_a_night_that_brings_nothing_new_writes_nothing(catalogue: Catalogue) -> None:
    catalogue.night(SATURDAY, {"a": "Heat", "b": "Up"})
    before = catalogue.version()
    catalogue.night(SUNDAY, {"b": "Up", "a": "Heat"})
    assert catalogue.version() == before
    catalogue.night(MONDAY, {"b": "Up"})
    assert catalogue.version() == before + 1
    assert catalogue.history() == {("a", "Heat", SATURDAY, MONDAY), ("b", "Up", SATURDAY, None)}
