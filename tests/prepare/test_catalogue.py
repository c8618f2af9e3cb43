"""Catalogue and users: fields, attributes, lines that are no records, and the history that records make."""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake import accounting
from lstmrec.lake.tables import ITEMS
from lstmrec.lake.validity import valid_on
from lstmrec.mapping import ItemFields, UserFields
from lstmrec.prepare import catalogue
from tests.prepare.factories import lines

FIELDS = ItemFields(item_id="id", title="name", categories="genres")


def items(spark: SparkSession, config: Config, *records: Any) -> DataFrame:
    return catalogue.items(lines(spark, *records), FIELDS, config.ingest)


def test_named_fields_become_columns_and_all_others_attributes(spark: SparkSession, config: Config) -> None:
    record = {"id": 7, "name": " Heat ", "genres": ["Action", "Crime"], "year": 1995}
    (row,) = items(spark, config, record).drop(c.PAYLOAD, c.OUTCOME).collect()
    assert row.asDict() == {
        "item_id": "7",
        "title": "Heat",
        "categories": ["Action", "Crime"],
        "attributes": {"year": "1995"},
    }


def test_users_keep_what_is_known_of_them(spark: SparkSession, config: Config) -> None:
    raw = lines(spark, {"user_id": "ann", "age": 33, "city": None})
    (row,) = catalogue.users(raw, UserFields(user_id="user_id"), config.ingest).collect()
    assert (row[c.USER_ID], row[c.ATTRIBUTES], row[c.OUTCOME]) == ("ann", {"age": "33"}, "accepted")


def test_every_line_has_an_outcome_and_those_that_are_no_record_are_kept_once(
    spark: SparkSession, config: Config
) -> None:
    records = items(
        spark,
        config,
        *({"id": "1", "name": "b"}, {"id": "1", "name": "a"}, {"name": "a", "id": "1"}, {"id": "2"}),
        *({"name": "x"}, "broken", "broken", {"id": "3", "name": "y" * 70_000}),
        *('{"id": "4"} {"id": "5"}', '["id"]', {"id": "6", "name": "z" * 2_000_000}),
    )
    assert accounting.count_outcomes(records.select(c.OUTCOME)) == {
        "accepted": 2, "duplicate": 1, "id_conflict": 1, "missing_id": 1, "malformed_json": 4,
        "oversize_payload": 2,
    }  # fmt: skip
    accepted = records.where(F.col(c.OUTCOME) == "accepted").collect()
    assert {r[c.ITEM_ID]: r["title"] for r in accepted} == {"1": "a", "2": None}
    kept = catalogue.rejected(records, "items").collect()
    assert sorted(row[c.REASON] for row in kept) == [
        "id_conflict", *["malformed_json"] * 3, "missing_id", *["oversize_payload"] * 2
    ]  # fmt: skip
    assert max(len(row[c.PAYLOAD]) for row in kept) < 1_050_000
    assert len({row[c.ROW_HASH] for row in kept}) == len(kept)


def after(spark: SparkSession, config: Config, *days: tuple[int, dict[str, str]]) -> DataFrame:
    """The table after runs of January days, each with a file of item ids and titles."""
    rows = spark.createDataFrame([], ITEMS.schema)
    for day, titles in days:
        records = items(spark, config, *({"id": key, "name": title} for key, title in titles.items()))
        made = catalogue.history(rows, records, c.ITEM_ID, date(2026, 1, day))
        rows = spark.createDataFrame(made.select(*ITEMS.columns).collect(), ITEMS.schema)
    return rows


def told(rows: DataFrame) -> list[tuple[str, str, int, int | None]]:
    """(item, title, first day, day after the last), sorted."""
    found = [(r[c.ITEM_ID], r["title"], r[c.VALID_FROM].day, r[c.VALID_TO]) for r in rows.collect()]
    return sorted((item, title, start, end.day if end else None) for item, title, start, end in found)


def test_an_item_that_changes_ends_or_comes_back_has_a_row_for_each_stretch(
    spark: SparkSession, config: Config
) -> None:
    rows = after(
        spark,
        config,
        (1, {"same": "s", "new title": "a", "comes back": "c"}),
        (2, {"same": "s", "new title": "b"}),
        (4, {"same": "s", "new title": "b", "comes back": "c"}),
    )
    assert told(rows) == [
        ("comes back", "c", 1, 2),
        ("comes back", "c", 4, None),
        ("new title", "a", 1, 2),
        ("new title", "b", 2, None),
        ("same", "s", 1, None),
    ]
    held = {day: {r["title"] for r in valid_on(rows, date(2026, 1, day)).collect()} for day in (1, 2, 3, 4)}
    assert held == {1: {"s", "a", "c"}, 2: {"s", "b"}, 3: {"s", "b"}, 4: {"s", "b", "c"}}


def test_a_rerun_changes_nothing_and_one_with_another_file_replaces_its_day(
    spark: SparkSession, config: Config
) -> None:
    first, wrong, right = (1, {"a": "x", "b": "y"}), (2, {"a": "wrong"}), (2, {"a": "x", "b": "z"})
    once = told(after(spark, config, first, right))
    assert once == [("a", "x", 1, None), ("b", "y", 1, 2), ("b", "z", 2, None)]
    assert told(after(spark, config, first, right, right)) == once
    assert told(after(spark, config, first, wrong, right)) == once
