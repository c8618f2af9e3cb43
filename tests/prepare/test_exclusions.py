from datetime import date, datetime

from pyspark.sql import SparkSession

from lstmrec.prepare.exclusions import excluded
from lstmrec.sections import Exclusion

TODAY = date(2026, 1, 31)
INDEX = [("a", 1), ("b", 2), ("c", 3)]


def test_what_was_bought_is_excluded_for_ever_what_was_viewed_for_its_days(spark: SparkSession) -> None:
    def event(user: str, item: str, kind: str, day: int) -> tuple[object, ...]:
        return user, item, kind, datetime(2026, 1, day, 23, 59)

    events = spark.createDataFrame(
        [
            *(event("ann", "c", "buy", 1), event("ann", "a", "buy", 2), event("ann", "a", "view", 31)),
            *(event("ann", "b", "view", 24), event("bob", "b", "view", 25)),
            *(event("cat", "b", "cart", 31), event("dan", "unknown", "buy", 31)),
        ],
        "user_id string, item_id string, event_type string, event_ts timestamp",
    )
    index = spark.createDataFrame(INDEX, "item_id string, item_index int")
    rules = [Exclusion(event_types=("buy",), days=None), Exclusion(event_types=("view",), days=7)]
    got = {row["user_id"]: row["seen"] for row in excluded(events, index, rules, TODAY).collect()}
    assert got == {"ann": [1, 3], "bob": [2]}
    assert excluded(events, index, [], TODAY).isEmpty()
    any_type = excluded(events, index, [Exclusion(event_types=None, days=7)], TODAY).collect()
    assert {row["user_id"]: row["seen"] for row in any_type} == {"ann": [1], "bob": [2], "cat": [2]}
