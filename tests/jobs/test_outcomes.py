"""measure_outcomes as a job: on the shop's lists, again, and on nights on which nothing can be measured."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.lake import tables as t
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.lake.store import Lake
from tests.jobs.shop import LAST_DAY, Shop, job
from tests.jobs.test_publication import NEXT_DAY, Copy
from tests.planted_lists import plant, visits

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(spark: SparkSession, shop: Shop, tmp_path: Path) -> Copy:
    return Copy(spark, shop, tmp_path)


def read(copy: Copy) -> Lake:
    return Lake(copy.spark, str(copy.lake), {})


def test_the_clicks_on_the_shops_lists_are_counted_and_a_rerun_leaves_the_same_rows(
    copy: Copy, capfd: pytest.CaptureFixture[str]
) -> None:
    first = read(copy).read(t.RECOMMENDATIONS).where("rank = 2").orderBy(c.USER_ID).take(3)
    noon = first[0]["scored_at"].replace(tzinfo=None) + timedelta(hours=12)
    events = [(row[c.USER_ID], noon, "an item of no list", "view") for row in first]
    events.append((first[1][c.USER_ID], noon + timedelta(seconds=90), first[1][c.ITEM_ID], "buy"))
    plant(read(copy), t.SESSIONS, visits(events))

    copy.use({"log": {"format": "json"}})
    for _ in range(2):
        job("measure_outcomes")(copy.flags())
    rows = read(copy).read(OUTCOMES).collect()
    assert {row[c.RUN_DATE] for row in rows} == {NEXT_DAY}
    assert len(rows) == len({tuple(row[name] for name in OUTCOMES.key) for row in rows})
    whole = {
        row["metric"]: row
        for row in rows
        if (row["slice"], row["source"], row["rank"], row["k"]) == ("all", "all", 0, 0)
    }
    assert (whole["click_through"]["value"], whole["click_through"]["n"]) == (1 / 24, 24)
    assert (whole["seconds_to_click"]["value"], whole["seconds_to_click"]["n"]) == (90, 1)
    assert whole["purchase_rate"]["value"] == 1 / 24
    assert whole["users_with_click"]["n_offered"] * 8 == whole["click_through"]["n_offered"]
    books = (
        read(copy)
        .read(t.RUN_ACCOUNTING)
        .where("job = 'measure_outcomes'")
        .where(f"run_date = DATE'{NEXT_DAY}'")
    )
    counted = {row[c.OUTCOME]: row[c.N_ROWS] for row in books.collect()}
    assert (counted["clicked"], counted["not_clicked"]) == (1, 23)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    told = [line for line in lines if line["event"] == "lists by slice"][-1]
    assert (told["list_date"], told["history_over_100"], told["refused_for"]) == (str(LAST_DAY), 0, "nothing")


def test_the_first_night_of_a_lake_has_no_outcome_and_does_not_fail(spark: SparkSession, shop: Shop) -> None:
    assert shop.table(spark, OUTCOMES).count() == 0  # the road has measured, and there were no lists before
    books = shop.table(spark, t.RUN_ACCOUNTING).where("job = 'measure_outcomes'").collect()
    assert [(row[c.OUTCOME], row[c.N_ROWS]) for row in books] == [("rows_in", 0)]
