import pickle
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec.errors import BadArtifact
from lstmrec.lake import models
from lstmrec.lake.models import ModelRun
from lstmrec.rank.scorers import HistoryBlock, LastItemNeighbours, Popularity
from lstmrec.scoring import ModelScorer, OlderModel, judge
from tests import planted_model
from tests.planted_model import AFFINITY, BIAS, N_ITEMS, User, crowd, frame, slow_scores


def slow_rank(user: User) -> int:
    scores = slow_scores(user)
    own = scores.get(user.target)
    return N_ITEMS + 1 if own is None else sum(score >= own for score in scores.values())


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> ModelScorer:
    return ModelScorer(planted_model.publish(tmp_path_factory.mktemp("model"), AFFINITY, BIAS, N_ITEMS))


def ranks(
    users: DataFrame, scorer: ModelScorer | LastItemNeighbours, users_per_block: int = 9
) -> dict[str, int]:
    rows = judge(users, ["sequence_id"], [scorer], N_ITEMS, 3, users_per_block).collect()
    assert len({row["sequence_id"] for row in rows}) == len(rows)
    return {row["sequence_id"]: row["ranks"][0] for row in rows}


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
        user.name: [f"i{j}" for j, _ in sorted(slow_scores(user).items(), key=lambda p: (-p[1], p[0]))[:n]]
        for user in users
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


def test_an_older_model_puts_items_that_it_does_not_know_last(
    spark: SparkSession, scorer: ModelScorer
) -> None:
    users = frame(
        spark,
        User("known", [1, 8], target=2),
        User("newer target", [1], target=7),
        User("nothing known", [8, 7], target=2),
    )
    older = OlderModel(scorer, N_ITEMS, n_items=8)
    rows = judge(users, ["user_id"], [older], 8, 2, 9).collect()
    # 2 ties with 3; 7 ties with 8, after the six that it knows but 1; of all six unseen ones none is known
    assert {row["user_id"]: row["ranks"] for row in rows} == {
        "known": [2], "newer target": [7], "nothing known": [6]
    }  # fmt: skip


def test_no_histories_give_no_ranks(spark: SparkSession, scorer: ModelScorer) -> None:
    nobody = frame(spark)
    assert judge(nobody, ["sequence_id"], [scorer], N_ITEMS, 3, 100).isEmpty()


def test_a_model_serves_the_item_index_it_was_made_with_and_no_other(
    spark: SparkSession, tmp_path: Path
) -> None:
    def index(*rows: tuple[str, int]) -> DataFrame:
        return spark.createDataFrame(list(rows), "item_id string, item_index int")

    fingerprint = models.fingerprint(index(("i1", 1), ("i2", 2)))
    uri = planted_model.publish(tmp_path, AFFINITY, BIAS, 2 + 2, fingerprint)
    run = ModelRun("m1", uri, 2, fingerprint, date(2026, 1, 31))
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
