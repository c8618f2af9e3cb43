from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import BooleanType

from lstmrec.errors import BadInput, BrokenContract
from lstmrec.lake import accounting, checks, files
from lstmrec.lake.table import Table
from lstmrec.lake.tables import ALL


def pairs(spark: SparkSession, *rows: tuple[str | None, int]) -> DataFrame:
    return spark.createDataFrame(list(rows), "name string, n int")


def test_tables_have_names_of_their_own() -> None:
    assert len({table.name for table in ALL}) == len(ALL)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_a_tables_key_and_partition_are_columns_that_are_never_null(table: Table) -> None:
    required = {field.name for field in table.schema if not field.nullable}
    assert table.key
    assert {*table.key, *table.partition} <= required


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_a_tables_files_hold_all_its_rows_and_its_versions_stay_readable(table: Table) -> None:
    told = table.delta_properties
    assert told["delta.enableDeletionVectors"] == told["delta.autoOptimize.autoCompact"] == "false"
    assert told["delta.logRetentionDuration"] == "interval 3650 days"
    by_writer = "delta.autoOptimize.optimizeWrite" in told
    assert by_writer == (bool(table.partition) and not table.keeps_layout)


@pytest.mark.parametrize("table", [table for table in ALL if table.constraints], ids=lambda table: table.name)
def test_a_tables_constraints_are_conditions_on_its_columns(spark: SparkSession, table: Table) -> None:
    empty = spark.createDataFrame([], table.schema)
    conditions = empty.selectExpr(*table.constraints.values())
    assert {field.dataType for field in conditions.schema} == {BooleanType()}


def test_books_that_do_not_balance_stop_the_run() -> None:
    accounting.require_balance(5, {"accepted": 3, "late": 2}, "some_job")
    accounting.require_balance(0, {}, "some_job")
    with pytest.raises(BrokenContract) as told:
        accounting.require_balance(6, {"accepted": 3, "late": 2}, "some_job")
    assert str(told.value) == ("some_job: 6 rows came in, 5 are accounted for: {'accepted': 3, 'late': 2}")


def test_outcomes_are_counted_by_name(spark: SparkSession) -> None:
    rows = pairs(spark, ("late", 1), ("accepted", 2), ("late", 3))
    assert accounting.count_outcomes(rows.select("name")) == {"late": 2, "accepted": 1}
    assert accounting.count_outcomes(rows.where("false").select("name")) == {}


def test_a_repeated_key_stops_the_run_with_a_sample(spark: SparkSession) -> None:
    rows = pairs(spark, ("a", 1), ("a", 2), ("b", 1), (None, 1))
    checks.require_unique(rows, ("name", "n"), "things")
    with pytest.raises(BrokenContract, match=r"^things: key \('name',\) repeats, .*'a', 'count': 2"):
        checks.require_unique(rows, ("name",), "things")


def test_a_row_that_breaks_a_rule_stops_the_run_with_a_sample(spark: SparkSession) -> None:
    rows = pairs(spark, ("a", 1))
    checks.require_none(rows.where("n > 1"), "n is 1", "things")
    with pytest.raises(BrokenContract, match=r"^things: n is 2, broken by e.g. .*'name': 'a', 'n': 1"):
        checks.require_none(rows, "n is 2", "things")


def test_a_text_file_is_read_by_its_lines(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text('{"n": 1}\n\nbroken')
    rows = files.read_lines(spark, str(path), "source.items").collect()
    assert [row["payload"] for row in rows] == ['{"n": 1}', "", "broken"]
    assert files.read_lines(spark, None, "source.items").schema.simpleString() == "struct<payload:string>"
    assert files.read_lines(spark, None, "source.items").isEmpty()


def test_a_missing_text_file_is_told_with_its_key(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match=f"^source.items: no file {tmp_path}/none; set it to the file, or to null"
    ):
        files.read_lines(spark, f"{tmp_path}/none", "source.items")
