from collections.abc import Sequence
from datetime import date

import numpy as np
from pyspark.sql import DataFrame, SparkSession

from lstmrec import baselines
from lstmrec.rank.scorers import HistoryBlock, Popularity

TRAIN = "sequence_id string, window int, items array<int>, length int"
SESSIONS = "site string, session_user string, session_date date, is_bot boolean, item_ids array<string>"
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


def test_recent_popularity_counts_the_users_of_its_days_without_bots(spark: SparkSession) -> None:
    def session(
        user: str, day: int, *items: str, site: str = "shop", is_bot: bool = False
    ) -> tuple[object, ...]:
        return site, user, date(2026, 1, day), is_bot, list(items)

    sessions = spark.createDataFrame(
        [
            session("ann", 31, "a", "a", "b"),
            session("ann", 30, "a"),  # the same user again
            session("bob", 29, "b"),  # the first of three days
            session("cat", 28, "a", "c"),  # the day before them
            session("dan", 30, "d", is_bot=True),
            session("ann", 31, "b", site="blog"),  # another site's ann is another user
        ],
        SESSIONS,
    )
    got = rows(baselines.recent_popularity(sessions, TODAY, days=3), "item_id", "n_users")
    assert got == [("a", 1), ("b", 3)]
    the_day_before = baselines.recent_popularity(sessions, date(2026, 1, 30), days=1)
    assert rows(the_day_before, "item_id", "n_users") == [("a", 1)]
