"""Windows and padding: every item but the first is a target once, and no file mixes lengths."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake.model_tables import SEQUENCES
from lstmrec.prepare import sequences
from lstmrec.sections import SequencesConfig

RULES = SequencesConfig(grain="user", max_length=4, length_buckets=(2, 4), min_length=3, row_groups=2)
SCHEMA = (
    "sequence_id string, user_id string, items array<int>, types array<int>, gaps array<int>, "
    "split string, n_known int, target int"
)


def build(spark: SparkSession, items: list[int], split: str, n_known: int, target: int = 0) -> list[Row]:
    row = ("ann", "ann", items, [1] * len(items), [2] * len(items), split, n_known, target)
    return sequences.build(spark.createDataFrame([row], SCHEMA), RULES).orderBy(c.WINDOW).collect()


@pytest.mark.parametrize("split", ["train", "train_and_validation"])
def test_a_long_history_trains_in_windows_that_share_one_item(spark: SparkSession, split: str) -> None:
    got = build(spark, [1, 2, 3, 4, 5, 6, 7, 8, 9], split, 8)
    assert [(r[c.WINDOW], r[c.ITEMS], r[c.LENGTH]) for r in got] == [
        (0, [1, 2, 3, 4], 4),
        (1, [4, 5, 6, 7], 4),
        (2, [7, 8], 2),
    ]
    assert [r[c.SEEN] for r in got] == [[], [], []]


def test_a_history_that_ends_with_a_window_leaves_no_empty_one(spark: SparkSession) -> None:
    assert [r[c.ITEMS] for r in build(spark, [1, 2, 3, 4, 5, 6, 7], "train", 7)] == [
        [1, 2, 3, 4],
        [4, 5, 6, 7],
    ]


def test_one_item_has_nothing_to_predict_and_gives_no_train_row(spark: SparkSession) -> None:
    assert build(spark, [1, 2, 3], "train", 1) == []


def test_the_other_splits_show_the_latest_items_and_remember_all_seen(spark: SparkSession) -> None:
    (row,) = build(spark, [1, 2, 1, 4, 5, 6], "test", 5, target=6)
    assert (row[c.ITEMS], row[c.LENGTH], row[c.TARGET]) == ([2, 1, 4, 5], 4, 6)
    assert sorted(row[c.SEEN]) == [1, 2, 4, 5]


def test_a_short_history_is_padded_on_the_right_to_its_bucket(spark: SparkSession) -> None:
    (row,) = build(spark, [7, 8, 9], "score", 3)
    assert (row[c.PADDED_LENGTH], row[c.ITEMS], row[c.TYPES], row[c.GAPS]) == (
        4,
        [7, 8, 9, 0],
        [1, 1, 1, 0],
        [2, 2, 2, 0],
    )
    (row,) = build(spark, [7, 8, 9], "score", 1)
    assert (row[c.PADDED_LENGTH], row[c.ITEMS]) == (2, [7, 0])


def test_the_rows_are_those_of_the_table(spark: SparkSession) -> None:
    row = ("ann", "ann", [1, 2], [1, 1], [1, 2], "score", 2, 0)
    got = sequences.build(spark.createDataFrame([row], SCHEMA), RULES).schema
    assert {f.name: f.dataType.simpleString() for f in got} == {
        f.name: f.dataType.simpleString() for f in SEQUENCES.schema
    }


@given(lengths=st.lists(st.integers(2, 30), min_size=1, max_size=12))
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_item_but_the_first_is_a_target_exactly_once(spark: SparkSession, lengths: list[int]) -> None:
    rows = [
        (f"u{i}", f"u{i}", list(range(1, n + 1)), [1] * n, [1] * n, "train", n, 0)
        for i, n in enumerate(lengths)
    ]
    targets: Counter[tuple[str, int]] = Counter()
    for row in sequences.build(spark.createDataFrame(rows, SCHEMA), RULES).collect():
        real = row[c.ITEMS][: row[c.LENGTH]]
        assert len(row[c.ITEMS]) == row[c.PADDED_LENGTH]
        assert all(b == a + 1 for a, b in pairwise(real))
        targets.update((row[c.SEQUENCE_ID], item) for item in real[1:])
    assert targets == {(f"u{i}", item): 1 for i, n in enumerate(lengths) for item in range(2, n + 1)}


def test_rows_are_spread_over_row_groups_and_always_the_same_way(spark: SparkSession) -> None:
    rows = [(f"u{i}", f"u{i}", [1, 2], [1, 1], [1, 2], "train", 2, 0) for i in range(40)]
    built = sequences.build(spark.createDataFrame(rows, SCHEMA), RULES)

    def layout(frame: object) -> list[tuple[int, str]]:
        placed = sequences.spread(frame, RULES.row_groups).withColumn("task", F.spark_partition_id())  # type: ignore[arg-type]
        return [(r["task"], r[c.SEQUENCE_ID]) for r in placed.collect()]

    assert layout(built) == layout(built.orderBy(F.desc(c.SEQUENCE_ID)))
    assert len({task for task, _ in layout(built)}) == 2
