"""Catalogue and users from JSON lines: fields, attributes, and lines that are none."""

from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake.tables import ITEMS, USERS
from lstmrec.prepare import catalogue
from lstmrec.sections import ItemFields, UserFields
from tests.prepare.factories import lines

FIELDS = ItemFields(item_id="id", title="name", categories="genres")


def test_named_fields_become_columns_and_all_others_attributes(spark: SparkSession) -> None:
    raw = lines(spark, {"id": 7, "name": " Heat ", "genres": ["Action", "Crime"], "year": 1995})
    (row,) = catalogue.named(catalogue.items(raw, FIELDS), c.ITEM_ID).select(*ITEMS.columns).collect()
    assert row.asDict() == {
        "item_id": "7",
        "title": "Heat",
        "categories": ["Action", "Crime"],
        "attributes": {"year": "1995"},
    }


def test_lines_that_repeat_an_id_or_have_none_are_counted_and_left_out(spark: SparkSession) -> None:
    raw = lines(
        spark, {"id": "1", "name": "b"}, {"id": "1", "name": "a"}, {"name": "x"}, "broken", {"id": "2"}
    )
    records = catalogue.items(raw, FIELDS)
    assert catalogue.books(records, c.ITEM_ID) == {"accepted": 2, "duplicate": 1, "missing_id": 2}
    titles = {r[c.ITEM_ID]: r["title"] for r in catalogue.named(records, c.ITEM_ID).collect()}
    assert titles == {"1": "a", "2": None}


def test_users_keep_what_is_known_of_them(spark: SparkSession) -> None:
    raw = lines(spark, {"user_id": "ann", "age": 33, "city": None})
    (row,) = catalogue.named(catalogue.users(raw, UserFields(user_id="user_id")), c.USER_ID).collect()
    assert row.asDict() == {"user_id": "ann", "attributes": {"age": "33"}}
    assert set(row.asDict()) == set(USERS.columns)


def test_an_empty_file_gives_no_record(spark: SparkSession) -> None:
    assert catalogue.books(catalogue.items(lines(spark, ""), FIELDS), c.ITEM_ID)["accepted"] == 0
