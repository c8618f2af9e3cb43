from datetime import date

from pyspark.sql import SparkSession

from lstmrec.lake.tables import USERS
from lstmrec.lake.validity import told_up_to, valid_on


def test_a_row_holds_from_its_first_day_up_to_but_without_its_last(spark: SparkSession) -> None:
    days = [date(2026, 1, day) for day in range(1, 6)]
    rows = spark.createDataFrame([("ann", {}, days[1], days[3]), ("bob", {}, days[2], None)], USERS.schema)
    held = [sorted(row["user_id"] for row in valid_on(rows, day).collect()) for day in days]
    assert held == [[], ["ann"], ["ann", "bob"], ["bob"], ["bob"]]
    assert told_up_to(rows) == days[3]
    assert told_up_to(rows.where("false")) is None
