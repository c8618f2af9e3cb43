"""Lists of users by a model whose scores are known by hand, with every rule that may shape them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from lstmrec.config import Config
from lstmrec.lists import ListMaker
from lstmrec.scoring import ModelScorer
from lstmrec.shelf import EVERYBODY, Popular, Shelf
from tests import planted_model
from tests.planted_model import AFFINITY, BIAS, N_ITEMS, User, crowd, frame, slow_scores

POPULAR = {7: 9.0, 1: 8.0, 6: 5.0, 2: 4.0, 9: 3.0, 10: 2.0}
"""Item -> score; 7, 9 and 10 are newer than the model."""

Lists = dict[str, list[tuple[str, float, str]]]


def popular(scores: Mapping[int, float], is_of_segment: bool = False) -> Popular:
    return Popular(
        np.array(list(scores), np.int64), np.array(list(scores.values())), np.full(len(scores), is_of_segment)
    )


def shelf_of(scores: Mapping[int, float], size: int) -> Shelf:
    """Items i1, i2, ... below `size`, all allowed and of no category, popular by their scores."""
    return Shelf(
        item_ids=np.array(["", *(f"i{j}" for j in range(1, size))], object),
        allowed=np.arange(size) > 0,
        promoted=np.zeros(size, bool),
        categories=np.zeros((size, 1), np.int32),
        allowed_for={},
        popular={EVERYBODY: popular(scores)},
    )


SHELF = shelf_of(POPULAR, 11)


def items(*numbers: int) -> np.ndarray:
    return np.isin(np.arange(11), numbers)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory, config: Config) -> ListMaker:
    uri = planted_model.publish(tmp_path_factory.mktemp("model"), AFFINITY, BIAS, N_ITEMS)
    return ListMaker(
        ModelScorer(uri), N_ITEMS, SHELF, config.scoring.model_copy(update={"n": 4}), "2026-01-31"
    )


def with_rules(maker: ListMaker, n: int = 4, **rules: Any) -> ListMaker:
    own = maker.config.rules.model_copy(update=rules)
    return replace(maker, config=maker.config.model_copy(update={"n": n, "rules": own}))


def rows(maker: ListMaker, users: DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows by user and rank; ranks must be 1, 2, ... without a hole."""
    told: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(maker.lists(users).collect(), key=lambda row: (row["user_id"], row["rank"])):
        own = told.setdefault(row["user_id"], [])
        own.append(row.asDict())
        assert row["rank"] == len(own)
    return told


def lists(maker: ListMaker, users: DataFrame) -> Lists:
    told = rows(maker, users)
    return {user: [(r["item_id"], r["score"], r["source"]) for r in own] for user, own in told.items()}


def only_items(maker: ListMaker, users: DataFrame) -> dict[str, list[str]]:
    return {user: [item for item, _, _ in own] for user, own in lists(maker, users).items()}


def slow_list(user: User, n: int) -> list[tuple[str, float, str]]:
    best = sorted(slow_scores(user).items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    given = {j for j, _ in best}
    rest = [(f"i{j}", score, "popular") for j, score in POPULAR.items() if j not in user.had | given]
    return ([(f"i{j}", score, "model") for j, score in best] + rest)[:n]


@pytest.fixture(scope="module")
def by_hand(spark: SparkSession, maker: ListMaker) -> Lists:
    users = frame(
        spark,
        User("ann", [1], padding=3),
        User("bob", [8, 1], types=[2, 1], gaps=[5, 1]),
        User("cat", []),
        User("dan", [1, 2, 3, 4], seen=[1, 2, 3, 4, 5], padding=1),
        User("eve", [7, 8]),
        User("fay", [1, 2], types=[1, 2], gaps=[1, 3]),
    )
    return lists(maker, users)


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
    assert by_hand["cat"] == [(f"i{item}", score, "popular") for item, score in list(POPULAR.items())[:4]]


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


@pytest.mark.parametrize(("n", "users_per_block"), [(3, 1), (3, 7), (12, 1000)])
def test_lists_are_those_of_a_loop_over_users_whatever_the_blocks(
    spark: SparkSession, maker: ListMaker, n: int, users_per_block: int
) -> None:
    users = crowd()
    own = replace(maker, config=maker.config.model_copy(update={"n": n, "users_per_block": users_per_block}))
    assert lists(own, frame(spark, *users)) == {user.name: slow_list(user, n) for user in users}


def test_no_users_have_no_lists(spark: SparkSession, maker: ListMaker) -> None:
    assert maker.lists(frame(spark)).isEmpty()


def test_what_is_not_allowed_is_in_no_list(spark: SparkSession, maker: ListMaker) -> None:
    without = replace(
        maker,
        shelf=replace(SHELF, allowed=~items(0, 2, 7), popular={EVERYBODY: popular({1: 8.0, 6: 5.0, 9: 3.0})}),
    )
    got = only_items(without, frame(spark, User("ann", [1]), User("cat", [])))
    assert got == {"ann": ["i3", "i4", "i6", "i5"], "cat": ["i1", "i6", "i9"]}


def test_where_nothing_is_allowed_there_are_no_lists(spark: SparkSession, maker: ListMaker) -> None:
    nothing = replace(SHELF, allowed=items(), popular={EVERYBODY: popular({})})
    assert only_items(replace(maker, shelf=nothing), frame(spark, User("ann", [1]), User("cat", []))) == {}


def test_a_segment_has_its_own_items_and_its_own_popular_ones_before_those_of_all(
    spark: SparkSession, maker: ListMaker
) -> None:
    shelf = replace(
        SHELF,
        allowed_for={"kids": items(3, 4, 5, 9, 10)},
        popular={EVERYBODY: popular(POPULAR), "kids": popular({10: 2.0, 5: 1.0}, is_of_segment=True)},
    )
    users = [User("ann", [1], segment="kids"), User("bob", [1]), User("cat", [], segment="kids")]
    users += [User("dan", [], segment="of no rule")]
    got = lists(replace(maker, shelf=shelf), frame(spark, *users))
    assert got["ann"] == [
        ("i3", 3.0, "model"), ("i4", 1.0, "model"), ("i5", 0.0, "model"), ("i10", 2.0, "segment")
    ]  # fmt: skip
    assert got["cat"] == [("i10", 2.0, "segment"), ("i5", 1.0, "segment"), ("i9", 3.0, "popular")]
    assert [item for item, _, _ in got["bob"]] == ["i2", "i3", "i4", "i6"]
    assert [item for item, _, _ in got["dan"]] == ["i7", "i1", "i6", "i2"]


def test_at_most_m_of_a_category_over_all_sources(spark: SparkSession, maker: ListMaker) -> None:
    categories = np.array([[0], [0], [1], [1], [1], [2], [2], [1], [0], [2], [0]], np.int32)
    capped = with_rules(replace(maker, shelf=replace(SHELF, categories=categories)), n=5, max_per_category=2)
    got = only_items(capped, frame(spark, User("ann", [1]), User("cat", [])))
    # ann's 4 and 7 are of category 1, which 2 and 3 fill; 9 of category 2, which 6 and 5 fill
    assert got == {"ann": ["i2", "i3", "i6", "i5", "i10"], "cat": ["i7", "i1", "i6", "i2", "i9"]}


def test_full_categories_are_passed_over_however_long_the_popular_list_is_of_one_alone(
    spark: SparkSession, maker: ListMaker
) -> None:
    size = 3001
    categories = np.where(np.arange(size) < size - 3, 1, 0)[:, None].astype(np.int32)
    shelf = replace(shelf_of({j: float(size - j) for j in range(1, size)}, size), categories=categories)
    capped = with_rules(replace(maker, shelf=shelf), max_per_category=1)
    users = frame(spark, *(User(f"user-{n}", [], seen=[1]) for n in range(3)))
    assert set(map(tuple, only_items(capped, users).values())) == {("i2", "i2998", "i2999", "i3000")}
    too_few = with_rules(replace(maker, shelf=shelf), n=5, max_per_category=1)
    assert [len(own) for own in only_items(too_few, users).values()] == [4, 4, 4]


def test_diversity_brings_other_categories_forward(spark: SparkSession, maker: ListMaker) -> None:
    categories = np.array([[0], [0], [1], [1], [2], [3], [1], [0], [0], [0], [0]], np.int32)
    shelf = replace(SHELF, categories=categories)
    diverse = with_rules(replace(maker, shelf=shelf), diversity=0.5)
    assert only_items(diverse, frame(spark, User("ann", [1])))["ann"] == ["i2", "i4", "i3", "i5"]


def test_promoted_items_take_their_share_of_the_places_and_no_more(
    spark: SparkSession, maker: ListMaker
) -> None:
    shelf = replace(SHELF, promoted=items(2, 5, 6))
    promoting = with_rules(replace(maker, shelf=shelf), promoted_share=0.25)  # one place of four
    got = lists(promoting, frame(spark, User("ann", [1]), User("bob", [1], seen=[1, 2])))
    assert got["ann"] == [  # the best promoted one is in the list anyway
        ("i2", 3.0, "model"), ("i3", 3.0, "model"), ("i4", 1.0, "model"), ("i6", 0.5, "model")
    ]  # fmt: skip
    assert got["bob"] == [
        ("i3", 3.0, "model"), ("i4", 1.0, "model"), ("i6", 0.5, "model"), ("i5", 0.0, "model")
    ]  # fmt: skip
    last = with_rules(replace(maker, shelf=replace(SHELF, promoted=items(5))), promoted_share=0.25)
    assert lists(last, frame(spark, User("ann", [1])))["ann"][2:] == [
        ("i4", 1.0, "model"), ("i5", 0.0, "promoted")
    ]  # fmt: skip


def test_drawn_items_take_the_last_places_with_their_odds_and_a_rerun_draws_them_again(
    spark: SparkSession, maker: ListMaker
) -> None:
    exploring = with_rules(maker, n=3, explore_places=1)
    users = frame(spark, *(User(f"user-{n}", [1]) for n in range(200)))
    got = rows(exploring, users)
    # of 2, 3, 4, 6, 5 the first two stay, one of the other three is drawn
    assert {tuple(r["item_id"] for r in own[:2]) for own in got.values()} == {("i2", "i3")}
    drawn = [own[2] for own in got.values()]
    told = {(row["source"], row["reason_code"], row["propensity"]) for row in drawn}
    assert told == {("explore", "explored", 1 / 3)}
    counts = Counter(r["item_id"] for r in drawn)
    assert set(counts) == {"i4", "i5", "i6"}
    assert min(counts.values()) > 40  # 66.7 each are expected, with a deviation of 6.7
    assert rows(exploring, users.repartition(3)) == got
    another_day = rows(replace(exploring, seed="2026-02-01"), users)
    assert another_day != got


def test_the_reason_of_an_item_is_what_of_the_history_is_most_like_it(
    spark: SparkSession, maker: ListMaker
) -> None:
    got = rows(maker, frame(spark, User("ann", [1, 4, 1]), User("cat", [])))
    told = {row["item_id"]: (row["reason_code"], row["reason_item_ids"]) for row in got["ann"]}
    # by the planted model 2 and 4 follow 1 alone, so their vectors point one way; nothing leads to 1
    assert told["i2"] == ("like_your_history", ["i4", "i1"])
    assert {(row["reason_code"], len(row["reason_item_ids"])) for row in got["cat"]} == {("popular", 0)}
    assert {row["propensity"] for own in got.values() for row in own} == {1.0}
    untold = replace(maker, config=maker.config.model_copy(update={"reasons": 0}))
    assert {len(row["reason_item_ids"]) for row in rows(untold, frame(spark, User("ann", [1])))["ann"]} == {0}


def test_a_user_who_has_seen_a_hundred_thousand_items_still_gets_a_list(
    spark: SparkSession, maker: ListMaker
) -> None:
    size = 100_011
    shelf = shelf_of({j: float(size - j) for j in range(1, size)}, size)
    users = frame(spark, User("all but the last", [1], seen=list(range(1, 100_001))), User("new", []))
    got = only_items(replace(maker, shelf=shelf), users)
    assert got == {
        "all but the last": ["i100001", "i100002", "i100003", "i100004"],
        "new": ["i1", "i2", "i3", "i4"],
    }
