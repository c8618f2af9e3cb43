"""Leave-one-out: what each split shows, and what it asks for."""

from datetime import timedelta

from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.prepare import splits
from tests.prepare.factories import at

SCHEMA = "sequence_id string, user_id string, end_ts timestamp, items array<int>"


def split(
    spark: SparkSession, *histories: tuple[str, str, int, list[int]]
) -> dict[tuple[str, str], tuple[int, int]]:
    """(sequence, split) -> (number of items shown, target) for (sequence, user, end in minutes, items)."""
    rows = [(s, user, at("10:00") + timedelta(minutes=end), items) for s, user, end, items in histories]
    got = splits.leave_one_out(spark.createDataFrame(rows, SCHEMA), min_length=3).collect()
    return {(r[c.SEQUENCE_ID], r[c.SPLIT]): (r[splits.N_KNOWN], r[c.TARGET]) for r in got}


def test_the_last_item_is_for_the_test_and_the_one_before_for_validation(spark: SparkSession) -> None:
    assert split(spark, ("ann", "ann", 0, [7, 3, 9, 4])) == {
        ("ann", "train"): (2, 0),
        ("ann", "validation"): (2, 9),
        ("ann", "train_and_validation"): (3, 0),
        ("ann", "test"): (3, 4),
        ("ann", "score"): (4, 0),
    }


def test_a_history_that_is_too_short_is_for_training_alone(spark: SparkSession) -> None:
    assert split(spark, ("ann", "ann", 0, [7, 3])) == {
        ("ann", "train"): (2, 0),
        ("ann", "train_and_validation"): (2, 0),
        ("ann", "score"): (2, 0),
    }


def test_an_item_that_the_user_had_before_is_no_target(spark: SparkSession) -> None:
    got = split(spark, ("ann", "ann", 0, [7, 3, 7]), ("bob", "bob", 0, [5, 5, 6]))
    assert {key: value for key, value in got.items() if key[1] in {"validation", "test"}} == {
        ("ann", "validation"): (1, 3),
        ("bob", "test"): (2, 6),
    }


def test_every_item_but_the_first_is_a_target_and_a_repeated_one_too(spark: SparkSession) -> None:
    rows = [("s1", "ann", at("10:00"), [7, 7, 3]), ("s2", "bob", at("10:00"), [5])]
    given = spark.createDataFrame(rows, SCHEMA)
    got = splits.every_position(given, "test").collect()
    assert {(r[c.SEQUENCE_ID], r[c.SPLIT], r[splits.N_KNOWN], r[c.TARGET]) for r in got} == {
        ("s1/1", "test", 1, 7),
        ("s1/2", "test", 2, 3),
    }
    whole = splits.whole(given, "train").collect()
    assert {(r[c.SEQUENCE_ID], r[c.SPLIT], r[splits.N_KNOWN], r[c.TARGET]) for r in whole} == {
        ("s1", "train", 3, 0),
        ("s2", "train", 1, 0),
    }


def test_a_users_latest_session_alone_is_scored(spark: SparkSession) -> None:
    got = split(spark, ("s1", "ann", 0, [1, 2, 3]), ("s2", "ann", 9, [4]), ("s3", "bob", 0, [5]))
    assert {key[0] for key in got if key[1] == "score"} == {"s2", "s3"}
    assert ("s1", "train") in got
