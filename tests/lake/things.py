"""A small table with every kind of promise, and rows of it."""

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DateType, IntegerType, StringType, StructField, StructType

from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table

FRIDAY, SATURDAY = date(2026, 1, 30), date(2026, 1, 31)

THINGS = Table(
    name="things",
    grain="thing of a run",
    schema=StructType(
        [
            StructField("run_date", DateType(), nullable=False),
            StructField("run_id", StringType(), nullable=False),
            StructField("name", StringType(), nullable=False, metadata={"comment": "what it is called"}),
            StructField("n", IntegerType(), nullable=False, metadata={"comment": "how many there are"}),
            StructField("note", StringType(), nullable=True, metadata={"comment": "what is said of it"}),
        ]
    ),
    key=("run_id", "name"),
    partition=("run_date",),
    constraints={"n_positive": "n > 0"},
)

Thing = tuple[date, str, str | None, int, str | None]


def things(spark: SparkSession, *rows: Thing) -> DataFrame:
    loose = "run_date date, run_id string, name string, n int, note string"
    return spark.createDataFrame(list(rows), loose).coalesce(1)


def stored(lake: Lake) -> set[tuple[object, ...]]:
    """All rows of the newest version."""
    return {tuple(row) for row in lake.read_version(THINGS, lake.version(THINGS)).collect()}
