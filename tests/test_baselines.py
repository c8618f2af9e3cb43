from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from pyspark.sql import DataFrame, SparkSession

from lstmrec import baselines
from lstmrec.rank.scorers import HistoryBlock, Popularity

TRAIN = "sequence_id string, window int, items array<int>, length int"
EVENTS = "user_id string, item_id string, event_type string, event_ts timestamp"
TODAY = date(2026, 1, 31)

Window = tuple[str, int, list[int]]


def train(spark: SparkSession, *windows: Window, padded_to: int = 8) -> DataFrame:
    rows = [
        (id_, number, items + [0] * (padded_to - len(items)), len(items)) for id_, number, items in windows
    ]
    return spark.createDataFrame(rows, TRAIN)


def rows(frame: DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.select(*columns).collect())


def popularity(frame: DataFrame) -> dict[int, int]:
    return dict(rows(baselines.item_popularity(frame), "item_index", "n_histories"))


def neighbours(frame: DataFrame, window: int, most: int) -> list[tuple[object, ...]]:
    return rows(baselines.covisitation(frame, window, most), "item_index", "neighbour", "weight")


def popularity_scorer(frame: DataFrame, n_items: int) -> Popularity:
    return baselines.popularity_scorer(baselines.popularity_counts(baselines.item_popularity(frame), n_items))


def last(items: Sequence[int]) -> HistoryBlock:
    column = np.array([[item] for item in items], np.int32)
    return HistoryBlock(column, column, column, np.ones(len(items), np.int32))


def test_an_item_counts_once_a_history_however_often_and_in_how_many_windows_it_is(
    spark: SparkSession,
) -> None:
    histories = train(spark, ("ann", 0, [1, 2, 1, 3]), ("ann", 1, [3, 4]), ("bob", 0, [3]))
    assert popularity(histories) == {1: 1, 2: 1, 3: 2, 4: 1}  # and padding has no count


def test_only_items_within_the_window_after_an_item_are_its_neighbours(spark: SparkSession) -> None:
    histories = train(spark, ("ann", 0, [1, 2, 3, 4]), ("bob", 0, [1, 3]))
    assert neighbours(histories, window=2, most=9) == [(1, 2, 1), (1, 3, 2), (2, 3, 1), (2, 4, 1), (3, 4, 1)]


def test_windows_and_histories_are_not_joined_end_to_start(spark: SparkSession) -> None:
    histories = train(spark, ("ann", 0, [1, 2]), ("ann", 1, [2, 3]), ("bob", 0, [4]))
    assert neighbours(histories, window=5, most=9) == [(1, 2, 1), (2, 3, 1)]


def test_the_heaviest_neighbours_stay_and_equal_ones_go_to_the_lower_index(spark: SparkSession) -> None:
    pairs = [[1, 9], [1, 9], [1, 5], [1, 4], [1, 7]]
    histories = train(spark, *((f"user-{n}", 0, pair) for n, pair in enumerate(pairs)))
    assert neighbours(histories, window=1, most=3) == [(1, 4, 1), (1, 5, 1), (1, 9, 2)]


def test_an_empty_train_split_has_no_popularity_and_no_neighbours(spark: SparkSession) -> None:
    nothing = train(spark)
    assert popularity_scorer(nothing, 2).counts.tolist() == [0, 0, 0]
    scorer = baselines.neighbour_scorer(baselines.covisitation(nothing, 1, 1), 2)
    assert scorer.scores(last([1, 2])).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_scorers_score_what_the_tables_say(spark: SparkSession) -> None:
    histories = train(spark, ("ann", 0, [3, 1]), ("bob", 0, [3, 1, 2]), ("cat", 0, [1]))
    popular = popularity_scorer(histories, 4)
    assert popular.scores(last([2])).tolist() == [[0, 3, 1, 2, 0]]
    near = baselines.neighbour_scorer(baselines.covisitation(histories, 2, 9), 4)
    assert near.scores(last([3, 1, 2, 4])).tolist() == [
        [0, 2, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_items_newer_than_the_model_are_left_out_of_its_baselines(spark: SparkSession) -> None:
    histories = train(spark, ("ann", 0, [1, 2, 3]), ("bob", 0, [3, 1]))
    popular = popularity_scorer(histories, 2)
    assert popular.counts.tolist() == [0, 2, 1]
    near = baselines.neighbour_scorer(baselines.covisitation(histories, 5, 9), 2)
    assert near.scores(last([1, 2])).tolist() == [[0, 0, 1], [0, 0, 0]]


def test_recent_popularity_counts_each_user_once_an_item_by_what_weighs_most(spark: SparkSession) -> None:
    def event(user: str, item: str, day: int, kind: str = "view") -> tuple[object, ...]:
        return user, item, kind, datetime(2026, 1, day, 12)

    events = spark.createDataFrame(
        [
            *(event("ann", "a", 31), event("ann", "a", 30, "buy"), event("ann", "b", 31)),
            event("bob", "b", 29),  # the first of three days
            *(event("cat", "a", 28), event("cat", "c", 28, "buy")),  # the day before them
        ],
        EVENTS,
    )
    segments = spark.createDataFrame([("ann", "kids")], "user_id string, segment string")

    def popular(weights: dict[str, float], days: int) -> set[tuple[object, ...]]:
        found = baselines.recent_popularity(events, segments, weights, TODAY, days)
        return {(row["segment"], row["item_id"], row["score"]) for row in found.collect()}

    assert popular({"buy": 10}, 3) == {
        (None, "a", 10.0), (None, "b", 2.0), ("kids", "a", 10.0), ("kids", "b", 1.0)
    }  # fmt: skip
    assert popular({}, 1) == {(None, "a", 1.0), (None, "b", 1.0), ("kids", "a", 1.0), ("kids", "b", 1.0)}
