import json
from dataclasses import replace
from pathlib import Path

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from lstmrec.config import Config
from lstmrec.errors import BadInput, BrokenContract
from lstmrec.lake.store import Lake
from lstmrec.lake.table import WRITES_BY_PARTITION
from lstmrec.runtime import spark_session
from tests.lake.things import FRIDAY, SATURDAY, THINGS, Thing, stored, things

ANN: Thing = (FRIDAY, "r1", "ann", 1, "first")
BOB: Thing = (SATURDAY, "r2", "bob", 2, None)
CAT: Thing = (SATURDAY, "r3", "cat", 3, None)


@pytest.fixture
def held(lake: Lake) -> Lake:
    """A lake that holds ann, bob and cat."""
    lake.append(THINGS, things(lake.spark, ANN, BOB, CAT))
    return lake


def test_a_table_is_made_once_with_all_that_it_promises(lake: Lake) -> None:
    assert not lake.exists(THINGS)
    lake.create(THINGS)
    lake.create(THINGS)
    assert lake.version(THINGS) == 0
    assert lake.read(THINGS).schema.simpleString() == THINGS.schema.simpleString()
    detail = lake.spark.sql(f"DESCRIBE DETAIL delta.`{lake.path(THINGS)}`").collect()[0]
    assert detail["partitionColumns"] == ["run_date"]
    assert detail["description"] == "One row per thing of a run."
    assert detail["properties"]["delta.constraints.n_positive"] == "n > 0"
    assert detail["properties"]["delta.enableDeletionVectors"] == "false"


@pytest.mark.parametrize(
    ("row", "promise"),
    [
        ((FRIDAY, "r4", "dan", 0, None), "n_positive"),
        ((FRIDAY, "r4", None, 4, None), "NOT NULL constraint violated for column: name"),
    ],
)
def test_a_row_that_breaks_a_promise_is_refused_and_the_table_stays(
    held: Lake, row: Thing, promise: str
) -> None:
    before = held.version(THINGS)
    with pytest.raises(Py4JJavaError, match=promise):
        held.replace(THINGS, things(held.spark, ANN, row))
    assert held.version(THINGS) == before


def test_a_relative_root_is_taken_from_the_working_folder(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    relative = Lake(lake.spark, "var/lake", {})
    relative.append(THINGS, things(lake.spark, ANN))
    assert relative.path(THINGS) == str(tmp_path / "var" / "lake" / THINGS.name)
    assert stored(Lake(lake.spark, str(tmp_path / "var" / "lake"), {})) == {ANN}


def test_replacing_a_date_leaves_the_other_dates(held: Lake) -> None:
    eve: Thing = (SATURDAY, "r2", "eve", 5, None)
    held.replace_date(THINGS, things(held.spark, eve), SATURDAY)
    assert stored(held) == {ANN, eve}
    with pytest.raises(AnalysisException, match="DELTA_REPLACE_WHERE_MISMATCH"):
        held.replace_date(THINGS, things(held.spark, ANN, eve), SATURDAY)
    held.replace_date(THINGS, things(held.spark), SATURDAY)
    assert stored(held) == {ANN}


def test_replacing_a_run_leaves_the_other_runs_of_its_date(held: Lake) -> None:
    bobby: Thing = (SATURDAY, "r2", "bobby", 5, None)
    held.replace_run(THINGS, things(held.spark, bobby), SATURDAY, "r2")
    assert stored(held) == {ANN, bobby, CAT}


def test_replacing_a_table_leaves_nothing_of_it(held: Lake) -> None:
    held.replace(THINGS, things(held.spark, BOB))
    assert stored(held) == {BOB}


def test_tasks_share_the_writing_of_many_rows(lake: Lake, config: Config) -> None:
    table = replace(THINGS, properties=WRITES_BY_PARTITION)
    name = F.sha2(F.col("id").cast("string"), 256)
    rows = lake.spark.range(100_000, numPartitions=4).select(
        F.lit(FRIDAY).alias("run_date"),
        F.lit("r1").alias("run_id"),
        name.alias("name"),
        F.lit(1).alias("n"),
        F.lit(None).cast("string").alias("note"),
    )

    def files(write_mb: int) -> int:
        spark_session("tests", config.spark.model_copy(update={"write_mb": write_mb}))
        lake.replace(table, rows)
        return lake.read_version(table, lake.version(table)).select(F.input_file_name()).distinct().count()

    assert files(2) > 1
    assert files(config.spark.write_mb) == 1  # 6 MB


def test_an_upsert_replaces_rows_with_a_known_key_and_adds_the_others(held: Lake) -> None:
    ann_now: Thing = (FRIDAY, "r1", "ann", 9, None)
    same_name: Thing = (FRIDAY, "r9", "bob", 7, None)  # the key is run_id and name together
    held.upsert(THINGS, things(held.spark, ann_now, same_name))
    assert stored(held) == {ann_now, same_name, BOB, CAT}


def test_adding_what_is_missing_never_changes_a_stored_row(held: Lake) -> None:
    ann_now: Thing = (FRIDAY, "r1", "ann", 9, None)
    same_name: Thing = (FRIDAY, "r9", "bob", 7, None)
    held.add_missing(THINGS, things(held.spark, ann_now, same_name))
    assert stored(held) == {ANN, same_name, BOB, CAT}


def test_a_run_sees_the_version_that_it_read_first(held: Lake) -> None:
    first = held.version(THINGS)
    assert held.read(THINGS).count() == 3
    Lake(held.spark, held.root, {}).replace(THINGS, things(held.spark, BOB))
    assert held.read(THINGS).count() == 3
    assert held.versions == {"things": first}
    assert Lake(held.spark, held.root + "/", {}).read(THINGS).count() == 1


def test_a_commit_says_which_run_made_it_and_what_it_had_read(held: Lake) -> None:
    version = held.version(THINGS)
    held.read(THINGS)
    held.replace(THINGS, things(held.spark, BOB))
    history = held.spark.sql(f"DESCRIBE HISTORY delta.`{held.path(THINGS)}` LIMIT 1").collect()
    assert json.loads(history[0]["userMetadata"]) == {
        "job": "tests",
        "run_date": "2026-01-31",
        "reads": {"things": version},
    }


def test_a_missing_table_is_told_with_its_place(lake: Lake) -> None:
    with pytest.raises(BadInput, match=f"^things: no table at {lake.root}/things; run the job that writes"):
        lake.read(THINGS)


def test_rows_with_other_columns_are_refused_before_they_are_written(lake: Lake) -> None:
    rows = things(lake.spark, ANN)
    with pytest.raises(BrokenContract, match=r"things: schema of rows .* differs: note is missing; write"):
        lake.append(THINGS, rows.drop("note"))
    with pytest.raises(BrokenContract, match="differs: colour is unexpected;"):
        lake.append(THINGS, rows.selectExpr("*", "'red' AS colour"))
    with pytest.raises(BrokenContract, match="differs: n is bigint, not int;"):
        lake.append(THINGS, rows.withColumn("n", rows["n"].cast("long")))
    assert lake.version(THINGS) == 0


def test_columns_in_another_order_are_written_by_name(lake: Lake) -> None:
    lake.append(THINGS, things(lake.spark, ANN).select("note", "n", "name", "run_id", "run_date"))
    assert stored(lake) == {ANN}


def test_a_table_with_another_schema_is_told_with_its_columns(lake: Lake) -> None:
    other = things(lake.spark, ANN).selectExpr("run_date", "run_id", "name", "CAST(n AS double) AS n")
    other.write.format("delta").save(lake.path(THINGS))
    with pytest.raises(BrokenContract) as told:
        lake.read(THINGS)
    assert str(told.value) == (
        f"things: schema of {lake.root}/things differs: note is missing, n is double, not int; "
        "write the table anew, or point lake.root at a lake of this version"
    )
