import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lstmrec.rank.top_n import BLOCKED, block, target_ranks, top_n

FEW_VALUES = st.sampled_from([np.float32(v) for v in (-1.5, 0.0, 2.0, BLOCKED)])
SCORES = npst.arrays(
    np.float32, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=FEW_VALUES, fill=st.nothing()
)


def slow_top_n(row: list[float], n: int) -> list[int]:
    return sorted(range(len(row)), key=lambda item: (-row[item], item))[:n]


def slow_rank(row: list[float], target: int) -> int:
    return sum(score >= row[target] for score in row if score != BLOCKED)


@settings(deadline=None)  # a loaded machine is no failure
@given(SCORES, st.integers(1, 35))
def test_the_best_items_are_those_of_a_plain_sort_by_score_then_index(scores: np.ndarray, n: int) -> None:
    assert top_n(scores, n).tolist() == [slow_top_n(row, n) for row in scores.tolist()]


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 2500),
    st.integers(1, 12),
    st.sampled_from([2, 50, 2**31]),
    st.floats(0, 1),
)
def test_so_they_are_in_rows_long_enough_to_be_looked_at_in_groups(
    seed: int, n_items: int, n: int, n_values: int, share_blocked: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(n_values, size=(3, n_items)).astype(np.float32)
    scores[rng.random(scores.shape) < share_blocked] = BLOCKED
    assert top_n(scores, n).tolist() == [slow_top_n(row, n) for row in scores.tolist()]


def test_equal_scores_go_to_the_lower_index() -> None:
    scores = np.array([[3, 5, 5, 5], [7, 7, 1, 7]], np.float32)
    assert top_n(scores, 2).tolist() == [[1, 2], [0, 1]]


def test_no_more_items_come_back_than_there_are() -> None:
    assert top_n(np.array([[1, 3, 2]], np.float32), 10).tolist() == [[1, 2, 0]]


def test_no_rows_have_no_best_items() -> None:
    assert top_n(np.zeros((0, 5), np.float32), 2).shape == (0, 2)


def test_blocked_items_take_the_last_places_whatever_their_score_was() -> None:
    scores = np.array([[9, 1, 8, 2], [9, 1, 8, 2]], np.float32)
    block(scores, (np.array([0, 0]), np.array([0, 2])))
    assert top_n(scores, 3).tolist() == [[3, 1, 0], [0, 2, 3]]
    assert scores[0].tolist() == [BLOCKED, 1, BLOCKED, 2]


def test_ranking_leaves_the_scores_alone() -> None:
    scores = np.array([[3, 5, 4]], np.float32)
    top_n(scores, 2)
    target_ranks(scores, np.array([2]))
    assert scores.tolist() == [[3, 5, 4]]


@settings(deadline=None)  # a loaded machine is no failure
@given(SCORES, st.data())
def test_a_targets_rank_is_how_many_unblocked_items_score_at_least_as_much(
    scores: np.ndarray, data: st.DataObject
) -> None:
    scores[:, 0] = 0.0  # something is open to be the target in each row
    targets = [data.draw(st.sampled_from(np.flatnonzero(row > BLOCKED).tolist())) for row in scores]
    wanted = [slow_rank(row, target) for row, target in zip(scores.tolist(), targets, strict=True)]
    assert target_ranks(scores, np.array(targets)).tolist() == wanted


@pytest.mark.parametrize(
    ("scores", "rank"),
    [
        ([4.0, 9.0, 2.0], 2),
        ([4.0, 4.0, 4.0], 3),  # ties count against the target
        ([4.0, BLOCKED, 2.0], 1),
        ([4.0], 1),
    ],
)
def test_the_rank_of_the_first_item(scores: list[float], rank: int) -> None:
    assert target_ranks(np.array([scores], np.float32), np.array([0])).tolist() == [rank]


def test_a_model_that_scores_all_items_alike_gets_the_last_rank() -> None:
    assert target_ranks(np.zeros((2, 100), np.float32), np.array([0, 57])).tolist() == [100, 100]
