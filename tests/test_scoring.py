import pickle
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec.errors import BadArtifact
from lstmrec.lake import models
from lstmrec.lake.models import ModelRun
from lstmrec.rank.scorers import HistoryBlock, LastItemNeighbours, Popularity
from lstmrec.scoring import ModelScorer, PopularList, judge, recommend
from tests import planted_model
from tests.planted_model import User, frame

N_ITEMS = 6
AFFINITY = {1: {2: 3.0, 3: 3.0, 4: 1.0}, 2: {3: 2.0}}
BIAS = {6: 0.5}
POPULAR = PopularList(  # i7, i9 and i10 are newer than the model
    tuple(
        (int(item[1:]), item, score)
        for item, score in (("i7", 9.0), ("i1", 8.0), ("i6", 5.0), ("i2", 4.0), ("i9", 3.0), ("i10", 2.0))
    )
)


def slow_scores(user: User) -> dict[int, float]:
    """Score by item, of items that the user has not seen; none where the model knows no event."""
    known = [(item, kind, gap) for item, kind, gap in user.events if item <= N_ITEMS]
    if not known:
        return {}
    return {
        j: BIAS.get(j, 0.0)
        + sum(AFFINITY.get(item, {}).get(j, 0.0) * kind * gap for item, kind, gap in known)
        for j in range(1, N_ITEMS + 1)
        if j not in user.had
    }


def slow_list(user: User, n: int) -> list[tuple[str, float, str]]:
    best = sorted(slow_scores(user).items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    given = {j for j, _ in best}
    rest = [(item, score, "popular") for j, item, score in POPULAR.items if j not in user.had | given]
    return ([(f"i{j}", score, "model") for j, score in best] + rest)[:n]


def slow_rank(user: User) -> int:
    scores = slow_scores(user)
    own = scores.get(user.target)
    return N_ITEMS + 1 if own is None else sum(score >= own for score in scores.values())


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> ModelScorer:
    return ModelScorer(planted_model.publish(tmp_path_factory.mktemp("model"), AFFINITY, BIAS, N_ITEMS))


Lists = dict[str, list[tuple[str, float, str]]]


def lists(users: DataFrame, scorer: ModelScorer, n: int, users_per_block: int) -> Lists:
    """user -> (item, score, source) by rank; ranks must be 1, 2, ... without a hole."""
    rows = recommend(users, scorer, N_ITEMS, POPULAR, n, users_per_block).collect()
    told: Lists = {}
    for row in sorted(rows, key=lambda row: (row["user_id"], row["rank"])):
        own = told.setdefault(row["user_id"], [])
        own.append((row["item_id"], row["score"], row["source"]))
        assert row["rank"] == len(own)
    return told


def ranks(
    users: DataFrame, scorer: ModelScorer | LastItemNeighbours, users_per_block: int = 9
) -> dict[str, int]:
    rows = judge(users, ["sequence_id"], [scorer], N_ITEMS, 3, users_per_block).collect()
    assert len({row["sequence_id"] for row in rows}) == len(rows)
    return {row["sequence_id"]: row["ranks"][0] for row in rows}


@pytest.fixture(scope="module")
def by_hand(spark: SparkSession, scorer: ModelScorer) -> Lists:
    users = frame(
        spark,
        User("ann", [1], padding=3),
        User("bob", [8, 1], types=[2, 1], gaps=[5, 1]),
        User("cat", []),
        User("dan", [1, 2, 3, 4], seen=[1, 2, 3, 4, 5], padding=1),
        User("eve", [7, 8]),
        User("fay", [1, 2], types=[1, 2], gaps=[1, 3]),
    )
    return lists(users, scorer, n=4, users_per_block=100)


def test_the_best_unseen_items_come_first_and_ties_go_to_the_lower_index(by_hand: Lists) -> None:
    assert by_hand["ann"] == [
        ("i2", 3.0, "model"),
        ("i3", 3.0, "model"),
        ("i4", 1.0, "model"),
        ("i6", 0.5, "model"),
    ]


def test_types_and_gaps_are_input_beside_their_items(by_hand: Lists) -> None:
    assert by_hand["fay"] == [
        ("i3", 1 * 3.0 + 6 * 2.0, "model"),
        ("i4", 1.0, "model"),
        ("i6", 0.5, "model"),
        ("i5", 0.0, "model"),
    ]


def test_an_item_newer_than_the_model_is_no_input_and_leaves_the_others_as_they_are(by_hand: Lists) -> None:
    assert by_hand["bob"] == by_hand["ann"]


def test_a_cold_user_gets_the_popular_list(by_hand: Lists) -> None:
    assert by_hand["cat"] == [(item, score, "popular") for _, item, score in POPULAR.items[:4]]


def test_a_user_of_newer_items_alone_gets_the_popular_ones_not_seen(by_hand: Lists) -> None:
    assert by_hand["eve"] == [
        ("i1", 8.0, "popular"),
        ("i6", 5.0, "popular"),
        ("i2", 4.0, "popular"),
        ("i9", 3.0, "popular"),
    ]


def test_a_user_who_has_seen_nearly_all_gets_the_rest_from_popularity_without_repeats(by_hand: Lists) -> None:
    assert by_hand["dan"] == [
        ("i6", 0.5, "model"),
        ("i7", 9.0, "popular"),
        ("i9", 3.0, "popular"),
        ("i10", 2.0, "popular"),
    ]


def crowd() -> list[User]:
    """Histories of all lengths, with old and new items, seen more and less, padded by chance."""
    rng = np.random.default_rng(4)
    users = []
    for number in range(50):
        size = int(rng.integers(0, 6))
        items = rng.integers(1, 9, size).tolist()
        seen = sorted({*items, *rng.choice(10, size=int(rng.integers(0, 6)), replace=False).tolist()} - {0})
        unseen = [j for j in range(1, 9) if j not in seen]
        users.append(
            User(
                f"user-{number}",
                items,
                types=rng.integers(1, 3, size).tolist(),
                gaps=rng.integers(1, 4, size).tolist(),
                seen=seen,
                padding=int(rng.integers(0, 4)),
                target=int(rng.choice(unseen)),
            )
        )
    return users


@pytest.mark.parametrize(("n", "users_per_block"), [(3, 1), (3, 7), (12, 1000)])
def test_lists_are_those_of_a_loop_over_users_whatever_the_blocks(
    spark: SparkSession, scorer: ModelScorer, n: int, users_per_block: int
) -> None:
    users = crowd()
    got = lists(frame(spark, *users), scorer, n, users_per_block)
    assert got == {user.name: slow_list(user, n) for user in users}


@pytest.mark.parametrize("users_per_block", [7, 1000])
def test_ranks_are_those_of_a_loop_over_users_whatever_the_blocks(
    spark: SparkSession, scorer: ModelScorer, users_per_block: int
) -> None:
    users = crowd()
    got = ranks(frame(spark, *users), scorer, users_per_block)
    assert got == {user.name: slow_rank(user) for user in users}
    assert {1, 2, 3, N_ITEMS + 1} < set(got.values())


@pytest.mark.parametrize(("n", "users_per_block"), [(3, 1), (3, 7), (12, 1000)])
def test_judged_lists_are_the_models_part_of_what_is_recommended(
    spark: SparkSession, scorer: ModelScorer, n: int, users_per_block: int
) -> None:
    users = crowd()
    rows = judge(frame(spark, *users), ["user_id"], [scorer], N_ITEMS, n, users_per_block).collect()
    given = {
        user.name: [item for item, _, source in slow_list(user, n) if source == "model"] for user in users
    }
    for row in rows:
        (own,) = row["lists"]
        assert len(own) == n
        wanted = given.pop(row["user_id"])
        assert [f"i{item}" for item in own if item] == wanted
        assert not any(own[len(wanted) :])  # PAD comes last
    assert not given


def test_each_scorer_judges_for_itself_and_kept_columns_stay(
    spark: SparkSession, scorer: ModelScorer
) -> None:
    users = frame(
        spark, User("ann", [1], target=4), User("newer", [1], target=7), User("cold", [8], target=2)
    )
    popular = Popularity(np.array([0, 1, 2, 9, 4, 5, 6], np.float32))
    rows = judge(users, ["user_id", "target"], [popular, scorer], N_ITEMS, 2, 9).collect()
    assert {row["user_id"]: (row["target"], row["ranks"], row["lists"]) for row in rows} == {
        "ann": (4, [4, 3], [[3, 6], [2, 3]]),
        "newer": (7, [7, 7], [[3, 6], [2, 3]]),
        "cold": (2, [7, 7], [[0, 0], [0, 0]]),
    }


def test_a_targets_place_by_hand(spark: SparkSession, scorer: ModelScorer) -> None:
    users = frame(
        spark,
        User("first", [1, 2], target=3),
        User("tie", [1], target=2),  # with 3, which scores the same
        User("seen is out", [1], seen=[1, 3], target=2),
        User("newer", [1], target=7),
        User("cold", [8], target=2),
    )
    assert ranks(users, scorer) == {"first": 1, "tie": 2, "seen is out": 1, "newer": 7, "cold": 7}


def test_the_last_item_known_to_the_model_counts_as_the_last(spark: SparkSession) -> None:
    after_two = LastItemNeighbours(  # 2 -> 5, and nothing else
        starts=np.array([0, 0, 0, 1, 1, 1, 1, 1]),
        neighbours=np.array([5], np.int32),
        weights=np.array([1], np.float32),
        n_items=N_ITEMS,
    )
    users = frame(
        spark,
        User("two is last", [1, 2], target=5, padding=2),
        User("two is the last known", [1, 8, 2, 7], target=5, padding=1),
        User("two is not last", [2, 8, 1], target=5),
    )
    # 1 and 2 are seen; without the neighbour 3, 4, 5 and 6 tie
    assert ranks(users, after_two) == {"two is last": 1, "two is the last known": 1, "two is not last": 4}


def test_no_histories_give_no_lists_and_no_ranks(spark: SparkSession, scorer: ModelScorer) -> None:
    nobody = frame(spark)
    assert recommend(nobody, scorer, N_ITEMS, POPULAR, 4, 100).isEmpty()
    assert judge(nobody, ["sequence_id"], [scorer], N_ITEMS, 3, 100).isEmpty()


def test_the_popular_list_is_by_users_then_index_and_knows_only_indexed_items(spark: SparkSession) -> None:
    popularity = spark.createDataFrame(
        [("a", 2), ("b", 5), ("c", 2), ("d", 2), ("not in the index", 9)], "item_id string, n_users long"
    )
    index = spark.createDataFrame(
        [("a", 7), ("b", 3), ("c", 10), ("d", 2), ("e", 1)], "item_id string, item_index int"
    )
    assert PopularList.of(popularity, index).items == (
        (3, "b", 5.0),
        (2, "d", 2.0),
        (7, "a", 2.0),
        (10, "c", 2.0),
    )


def test_a_model_serves_the_item_index_it_was_made_with_and_no_other(
    spark: SparkSession, tmp_path: Path
) -> None:
    def index(*rows: tuple[str, int]) -> DataFrame:
        return spark.createDataFrame(list(rows), "item_id string, item_index int")

    fingerprint = models.fingerprint(index(("i1", 1), ("i2", 2)))
    uri = planted_model.publish(tmp_path, AFFINITY, BIAS, 2 + 2, fingerprint)
    run = ModelRun("m1", uri, 2, fingerprint)
    assert ModelScorer.of(run, index(("i2", 2), ("i1", 1), ("newer", 3))).uri == uri
    with pytest.raises(BadArtifact, match=f"^{uri}: made with another item index"):
        ModelScorer.of(run, index(("i2", 1), ("i1", 2)))


def test_a_scorer_travels_as_its_name_and_scores_where_it_arrives(scorer: ModelScorer) -> None:
    one = np.array([[1]], np.int32)
    block = HistoryBlock(one, one, one, np.array([1], np.int32))
    here = scorer.scores(block)
    packed = pickle.dumps(scorer)
    assert len(packed) < 500
    np.testing.assert_array_equal(pickle.loads(packed).scores(block), here)
    assert here.tolist() == [[-np.inf, 0.0, 3.0, 3.0, 1.0, 0.0, 0.5]]
