"""What people query: the newest lists with titles and a sentence that says why, by the names of tables."""

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from tests.jobs.shop import LAST_DAY, Shop, job

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def registered(spark: SparkSession, shop: Shop) -> SparkSession:
    job("register_tables")(shop.flags())
    job("register_tables")(shop.flags())  # names what has been named
    return spark


def test_every_table_has_its_name(registered: SparkSession, shop: Shop) -> None:
    for table in t.ALL:
        assert registered.table(f"lstmrec.{table.name}").count() == shop.table(registered, table).count()


def test_the_current_lists_are_those_of_the_newest_date(registered: SparkSession, shop: Shop) -> None:
    current = registered.table("lstmrec.recommendations_current")
    assert [row[0] for row in current.select(c.RUN_DATE).distinct().collect()] == [LAST_DAY]
    assert current.count() == shop.table(registered, t.RECOMMENDATIONS).count()


def test_each_item_has_its_title_and_a_reason_in_words(registered: SparkSession, shop: Shop) -> None:
    titled = registered.table("lstmrec.recommendations_with_titles").collect()
    assert len(titled) == shop.table(registered, t.RECOMMENDATIONS).count()
    for row in titled:
        assert row["title"] == title(row["item_id"])
        had = " and ".join(map(title, row["reason_item_ids"]))
        assert row["reason"] == (f"Because you had {had}" if row["source"] == "model" else "Popular now")


def title(item_id: str) -> str:
    return f"Item {int(item_id.removeprefix('item-'))}"
