import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from lstmrec.lake import history, upkeep
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.sections import UpkeepConfig
from tests.lake.things import FRIDAY, SATURDAY, THINGS, Thing, stored, things

AT_ONCE = UpkeepConfig(retention_days=0, model_days=0, file_mb=128)
LATER = UpkeepConfig(retention_days=30, model_days=0, file_mb=128)
CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"

ROWS: list[Thing] = [
    (FRIDAY + timedelta(days=n % 2), f"run {n}", f"thing-{n}", n + 1, None) for n in range(6)
]
"""Written one commit each, from version 1 on; even ones on Friday, odd ones on Saturday."""


@pytest.fixture(scope="module")
def worn_once(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(spark, str(tmp_path_factory.mktemp("worn")), {})
    for row in ROWS:
        lake.append(THINGS, things(spark, row))
    for row in ROWS[:2]:
        lake.replace_run(THINGS, things(spark, row), row[0], row[1])
    return lake


@pytest.fixture
def worn(worn_once: Lake, lake: Lake) -> Lake:
    """A lake with many small commits: six rows added one by one, then run 0 and run 1 written anew."""
    shutil.copytree(worn_once.root, lake.root)
    return lake


def data_files(lake: Lake, table: Table = THINGS) -> set[str]:
    """Names of all data files that lie in the table's folders, whatever version they are of."""
    return {path.name for path in Path(lake.path(table)).glob("run_date=*/*.parquet")}


def rows_at(lake: Lake, version: int) -> set[tuple[object, ...]]:
    return {tuple(row) for row in lake.read_version(THINGS, version).collect()}


def test_upkeep_leaves_the_rows_in_fewer_files_and_only_the_versions_in_use(worn: Lake) -> None:
    assert len(data_files(worn)) == 8
    done = upkeep.tend(worn, THINGS, {3}, AT_ONCE)
    assert (done.files_before, done.files_after, done.lost) == (6, 2, ())
    assert stored(worn) == set(ROWS)
    assert rows_at(worn, 3) == set(ROWS[:3])
    assert len(data_files(worn)) == 2 + 3  # one a day, and those of version 3
    with pytest.raises((Py4JJavaError, PySparkException), match="FAILED_READ_FILE"):
        rows_at(worn, 4)


def test_a_second_upkeep_changes_no_file_until_a_version_is_in_use_no_more(worn: Lake) -> None:
    upkeep.tend(worn, THINGS, {3}, AT_ONCE)
    before = data_files(worn)
    assert upkeep.tend(worn, THINGS, {3}, AT_ONCE) == upkeep.Tended((), 2, 2, ())
    assert data_files(worn) == before
    upkeep.tend(worn, THINGS, set(), AT_ONCE)
    assert len(data_files(worn)) == 2
    assert stored(worn) == set(ROWS)


def test_within_the_retention_all_versions_stay(worn: Lake) -> None:
    done = upkeep.tend(worn, THINGS, set(), LATER)
    assert (done.files_before, done.files_after) == (6, 2)
    assert [len(rows_at(worn, version)) for version in range(9)] == [0, 1, 2, 3, 4, 5, 6, 6, 6]
    assert worn.spark.conf.get(CHECK, None) is None  # the check is off for our own VACUUM alone


def test_a_table_whose_job_chose_its_files_keeps_them_and_a_lost_version_is_told(worn: Lake) -> None:
    done = upkeep.tend(worn, replace(THINGS, keeps_layout=True), {99}, AT_ONCE)
    assert done == upkeep.Tended((), 6, 6, lost=(99,))
    assert len(data_files(worn)) == 6
    assert stored(worn) == set(ROWS)


def test_a_change_feed_is_switched_on_by_code_stays_for_the_retention_and_then_goes(lake: Lake) -> None:
    fed = replace(THINGS, properties={"delta.enableChangeDataFeed": "true"})
    feed = Path(lake.path(fed), "_change_data")
    lake.append(THINGS, things(lake.spark, *ROWS))
    assert upkeep.tend(lake, fed, set(), LATER).properties == ("delta.enableChangeDataFeed",)
    since = lake.version(fed)
    lake.upsert(fed, things(lake.spark, (SATURDAY, "run 1", "thing-1", 9, "changed")))

    assert upkeep.tend(lake, fed, set(), LATER).properties == ()
    changes = history.changes(Lake(lake.spark, lake.root, {}), fed, since)
    assert changes is not None
    assert sorted((r["n"], r[history.CHANGE_TYPE]) for r in changes.collect()) == [
        (2, "update_preimage"),
        (9, "update_postimage"),
    ]
    assert list(feed.rglob("*.parquet")) != []
    upkeep.tend(lake, fed, set(), AT_ONCE)
    assert list(feed.rglob("*.parquet")) == []
    assert len(stored(lake)) == 6


def test_an_empty_table_is_left_as_it_is(lake: Lake) -> None:
    lake.create(THINGS)
    assert upkeep.tend(lake, THINGS, set(), AT_ONCE) == upkeep.Tended((), 0, 0, ())
