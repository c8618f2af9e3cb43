import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmrec.rank.accuracy import METRICS, Judged, average_precision, hit_rate, mrr, ndcg, precision, recall

# Places of hits: 2 and 4 of three relevant items; 1 of one; none of two
LISTS = Judged(np.array([[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]], np.bool_), np.array([3, 1, 2]))


def at(*ranks: int) -> Judged:
    """Lists of five places with their one relevant item at a rank."""
    return Judged.by_rank(np.array(ranks), 5)


def test_a_rank_is_a_place_of_the_list_or_beyond_it() -> None:
    judged = at(1, 5, 6)
    assert judged.hits.tolist() == [[True] + [False] * 4, [False] * 4 + [True], [False] * 5]
    assert judged.n_relevant.tolist() == [1, 1, 1]


def test_a_hit_is_a_relevant_item_among_the_first_k() -> None:
    assert hit_rate(at(1, 2, 3), 2).tolist() == [1, 1, 0]
    assert hit_rate(LISTS, 1).tolist() == [0, 1, 0]
    assert hit_rate(LISTS, 4).tolist() == [1, 1, 0]


def test_precision_divides_the_hits_by_k() -> None:
    assert precision(at(1, 2, 3), 2).tolist() == [1 / 2, 1 / 2, 0]
    assert precision(LISTS, 4).tolist() == [2 / 4, 1 / 4, 0]


def test_precision_divides_by_k_also_where_the_list_is_shorter() -> None:
    assert precision(LISTS, 10).tolist() == [2 / 10, 1 / 10, 0]


def test_recall_divides_the_hits_by_the_relevant_items() -> None:
    assert recall(LISTS, 3).tolist() == [1 / 3, 1, 0]
    assert recall(LISTS, 4).tolist() == [2 / 3, 1, 0]


def test_the_reciprocal_rank_is_that_of_the_first_hit_and_nothing_beyond_k() -> None:
    assert mrr(at(1, 3, 4), 3).tolist() == [1, 1 / 3, 0]
    assert mrr(LISTS, 4).tolist() == [1 / 2, 1, 0]
    assert mrr(LISTS, 1).tolist() == [0, 1, 0]


def test_average_precision_sums_the_precision_at_each_hit() -> None:
    assert average_precision(LISTS, 4).tolist() == pytest.approx([(1 / 2 + 2 / 4) / 3, 1, 0])
    assert average_precision(LISTS, 3).tolist() == pytest.approx([1 / 2 / 3, 1, 0])


def test_the_gain_is_one_by_the_logarithm_of_the_place_after_the_rank() -> None:
    assert ndcg(at(1, 3, 4), 3).tolist() == [1, 1 / 2, 0]


def test_the_gain_is_divided_by_what_the_users_relevant_items_can_reach() -> None:
    place = [1 / math.log2(1 + n) for n in range(1, 5)]
    assert ndcg(LISTS, 4).tolist() == pytest.approx(
        [(place[1] + place[3]) / (place[0] + place[1] + place[2]), 1, 0]
    )
    assert ndcg(LISTS, 2).tolist() == pytest.approx([place[1] / (place[0] + place[1]), 1, 0])


@pytest.mark.parametrize("name", METRICS)
def test_no_lists_have_no_values(name: str) -> None:
    nothing = Judged(np.zeros((0, 4), np.bool_), np.zeros(0, np.int64))
    assert METRICS[name](nothing, 3).shape == (0,)


@pytest.mark.parametrize("name", METRICS)
def test_places_that_a_short_list_lacks_are_no_hits(name: str) -> None:
    wide = Judged(np.pad(LISTS.hits, ((0, 0), (0, 3))), LISTS.n_relevant)
    assert METRICS[name](LISTS, 7).tolist() == METRICS[name](wide, 7).tolist()


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(st.integers(1, 8), min_size=1, max_size=20), st.integers(1, 8))
def test_with_one_relevant_item_recall_is_the_hit_rate_and_map_is_mrr(ranks: list[int], k: int) -> None:
    judged = at(*ranks)
    assert recall(judged, k).tolist() == hit_rate(judged, k).tolist()
    assert average_precision(judged, k).tolist() == mrr(judged, k).tolist()
