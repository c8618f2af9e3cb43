import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec import tallies
from lstmrec.rank import list_metrics
from lstmrec.rank.list_metrics import Catalogue

JUDGED = "sequence_id string, slices array<string>, ranks array<int>, lists array<array<int>>"
KNOWN = Catalogue(
    n_histories=np.array([0, 8, 4, 2, 1]),
    total=8,
    categories=np.array([[0], [1], [1], [2], [0]], np.int32),
    vectors=np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0]], np.float32),
    tail_share=0.2,
)
ROWS = [  # of two contenders
    ("ann", ["all", "new"], [1, 4], [[1, 2], [2, 3]]),
    ("bob", ["all"], [2, 9], [[1, 3], [4, 0]]),
    ("cat", ["all"], [2, 7], [[2, 1], [0, 0]]),
]


def judged(spark: SparkSession, rows: list[tuple[object, ...]] = ROWS) -> DataFrame:  # type: ignore[assignment]
    return spark.createDataFrame(rows, JUDGED)


def sums(frame: DataFrame, partitions: int = 2) -> dict[tuple[str, int, str, int], tuple[float, ...]]:
    names = list_metrics.names([1, 2])
    rows = tallies.list_sums(frame, 2, KNOWN, [1, 2], partitions).to_dict("records")
    return {
        (row["slice"], row["contender"], *names[row["column"]]): (
            row["n_users"],
            row["total"],
            row["squares"],
        )
        for row in rows
    }


def test_users_are_counted_by_the_two_ranks_of_their_target(spark: SparkSession) -> None:
    counts = tallies.rank_counts(judged(spark), n=3)
    assert counts.values.tolist() == [  # ranks beyond 3 are 4
        ["all", 0, 1, 1, 1],
        ["all", 0, 2, 2, 2],
        ["all", 1, 1, 4, 1],
        ["all", 1, 2, 4, 2],
        ["new", 0, 1, 1, 1],
        ["new", 1, 1, 4, 1],
    ]


def test_items_are_counted_by_the_lists_they_are_in(spark: SparkSession) -> None:
    listed = tallies.item_counts(judged(spark), [1, 2])
    assert sorted(listed[["contender", "item_index", "at_1", "at_2"]].values.tolist()) == [
        [0, 1, 2, 3],
        [0, 2, 1, 2],
        [0, 3, 0, 1],
        [1, 2, 1, 1],
        [1, 3, 0, 1],
        [1, 4, 1, 1],
    ]


def test_values_are_summed_by_slice_contender_and_metric(spark: SparkSession) -> None:
    got = sums(judged(spark))
    assert got["all", 0, "average_popularity", 1] == (3, 8 + 8 + 4, 64 + 64 + 16)
    assert got["all", 0, "average_popularity", 2] == (3, 6 + 5 + 6, 36 + 25 + 36)
    assert got["new", 0, "average_popularity", 2] == (1, 6, 36)
    assert got["all", 1, "short_lists", 2] == (3, 2, 2)
    assert got["all", 1, "user_coverage", 1] == (3, 2, 2)


def test_a_list_without_a_value_counts_for_nothing(spark: SparkSession) -> None:
    got = sums(judged(spark))
    assert got["all", 1, "novelty", 2] == (2, (1 + 2) / 2 + 3, 1.5**2 + 9)  # cat has no list
    assert got["all", 1, "category_diversity", 2] == (1, 1, 1)
    assert ("all", 1, "category_diversity", 1) not in got


def test_no_judged_lists_have_no_sums(spark: SparkSession) -> None:
    nobody = judged(spark, [])
    assert tallies.list_sums(nobody, 2, KNOWN, [1, 2], 2).empty
    assert tallies.rank_counts(nobody, 3).empty
    assert tallies.item_counts(nobody, [1]).empty


@pytest.mark.parametrize("files", [1, 5])
def test_the_order_of_users_does_not_show_in_the_last_digit(spark: SparkSession, files: int) -> None:
    rng = np.random.default_rng(6)
    rows: list[tuple[object, ...]] = [
        (f"user-{n}", ["all"], [1, 2], [(rng.permutation(4)[:2] + 1).tolist() for _ in range(2)])
        for n in range(300)
    ]
    once = tallies.list_sums(judged(spark, rows), 2, KNOWN, [1, 2], 3)
    shuffled = [rows[n] for n in rng.permutation(300)]
    again = tallies.list_sums(judged(spark, shuffled).repartition(files), 2, KNOWN, [1, 2], 3)
    pd.testing.assert_frame_equal(once, again, check_exact=True)
