import math

import numpy as np
import pytest

from lstmrec.rank.beyond_accuracy import (
    category_distances,
    gini,
    intra_list_diversity,
    inverse_user_frequency,
    item_coverage,
    mean_of_items,
    popularity_places,
    serendipity,
    tail,
    vector_distances,
)

# Items 1 to 5; item 5 is in no history, and 0 is no item
N_HISTORIES = np.array([0, 8, 2, 4, 2, 0])
LISTS = np.array([[1, 2, 5], [3, 0, 0], [0, 0, 0]])


def test_a_mean_is_over_the_items_that_are_there() -> None:
    by_item = np.array([99.0, 8.0, 2.0, 4.0, 2.0, 1.0])
    assert mean_of_items(LISTS, by_item, 2).tolist()[:2] == [(8 + 2) / 2, 4]
    assert mean_of_items(LISTS, by_item, 3).tolist()[:2] == [pytest.approx((8 + 2 + 1) / 3), 4]
    assert mean_of_items(LISTS, by_item, 9).tolist()[:2] == [pytest.approx((8 + 2 + 1) / 3), 4]


def test_a_list_without_an_item_has_no_mean() -> None:
    assert math.isnan(mean_of_items(LISTS, np.ones(6), 3)[2])


def test_an_item_that_few_have_is_novel_by_the_logarithm_of_its_share() -> None:
    assert inverse_user_frequency(N_HISTORIES, 8)[1:5].tolist() == [0, 2, 1, 2]


def test_an_item_that_nobody_has_is_as_novel_as_one_that_a_single_user_has() -> None:
    assert inverse_user_frequency(np.array([0, 1, 0]), 8)[1:].tolist() == [3, 3]


def test_items_that_are_equally_popular_share_a_place_and_unknown_ones_come_last() -> None:
    assert popularity_places(N_HISTORIES)[1:].tolist() == [1, 3, 2, 3, 6]


@pytest.mark.parametrize(
    ("share", "in_tail"),
    [
        (0.0, [5]),  # what nobody has is never in the head
        (0.1, [5]),  # item 4 crosses the border
        (0.125, [4, 5]),
        (0.25, [2, 4, 5]),
        (0.5, [2, 3, 4, 5]),
        (0.6, [2, 3, 4, 5]),  # item 1 does
        (1.0, [1, 2, 3, 4, 5]),
    ],
)
def test_the_tail_is_what_comes_after_the_head_has_its_share(share: float, in_tail: list[int]) -> None:
    assert np.flatnonzero(tail(N_HISTORIES, share)[1:]).tolist() == [item - 1 for item in in_tail]


def test_of_equal_items_the_lower_index_is_in_the_head() -> None:
    assert tail(np.array([0, 3, 3, 3]), 0.5)[1:].tolist() == [False, False, True]


def test_serendipity_is_by_how_many_places_a_hit_stands_above_its_popularity() -> None:
    hits = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 0]], np.bool_)
    places = popularity_places(N_HISTORIES)
    # item 2 stands at 2, not 3; item 5 at 3, not 6; item 3 at 1, not 2; of five items
    assert serendipity(LISTS, hits, places, 3)[:2] == pytest.approx([(1 + 3) / 5 / 3, 1 / 5])
    assert serendipity(LISTS, hits, places, 2)[:2] == pytest.approx([1 / 5 / 2, 1 / 5])
    assert math.isnan(serendipity(LISTS, hits, places, 3)[2])


def test_a_hit_that_popularity_would_have_placed_higher_adds_nothing() -> None:
    lists = np.array([[4, 1]])
    hits = np.array([[False, True]])
    assert serendipity(lists, hits, popularity_places(N_HISTORIES), 2).tolist() == [0]


# Item 1 has categories 1, 2; item 2: 2, 3; item 3: 1, 2; item 4: 4; item 5: none
CATEGORIES = np.array([[0, 0], [1, 2], [2, 3], [1, 2], [4, 0], [0, 0]], np.int32)


def test_items_are_as_far_apart_as_the_categories_they_do_not_share() -> None:
    (distances,) = category_distances(np.array([[1, 2, 3, 4]]), CATEGORIES)
    assert distances[0].tolist() == pytest.approx([0, 1 - 1 / 3, 0, 1])
    assert distances[1].tolist() == pytest.approx([1 - 1 / 3, 0, 1 - 1 / 3, 1])
    assert (distances == distances.T).all()


def test_nothing_says_how_far_an_item_without_categories_is() -> None:
    (distances,) = category_distances(np.array([[1, 5, 0]]), CATEGORIES)
    assert np.isnan(distances).tolist() == [[False, True, True], [True] * 3, [True] * 3]


def test_a_catalogue_without_categories_gives_no_distance() -> None:
    assert np.isnan(category_distances(LISTS, np.zeros((6, 0), np.int32))).all()


VECTORS = np.array([[0, 0], [1, 0], [3, 0], [0, 2], [-1, 0], [0, 0]], np.float32)


def test_items_are_as_far_apart_as_the_directions_of_their_vectors() -> None:
    (distances,) = vector_distances(np.array([[1, 2, 3, 4]]), VECTORS)
    assert distances[0].tolist() == pytest.approx([0, 0, 1, 2])


def test_a_zero_vector_is_no_direction() -> None:
    (distances,) = vector_distances(np.array([[1, 5, 0]]), VECTORS)
    assert np.isnan(distances).tolist() == [[False, True, True], [True] * 3, [True] * 3]


def test_diversity_is_the_mean_over_pairs_of_the_first_k() -> None:
    distances = category_distances(np.array([[1, 2, 3, 4]]), CATEGORIES)
    assert intra_list_diversity(distances, 2).tolist() == pytest.approx([2 / 3])
    assert intra_list_diversity(distances, 3).tolist() == pytest.approx([(2 / 3 + 0 + 2 / 3) / 3])
    assert intra_list_diversity(distances, 9).tolist() == pytest.approx([(2 / 3 + 0 + 1 + 2 / 3 + 1 + 1) / 6])


def test_diversity_leaves_out_the_pairs_without_a_distance() -> None:
    distances = category_distances(np.array([[1, 5, 4], [1, 5, 0]]), CATEGORIES)
    first, second = intra_list_diversity(distances, 3)
    assert first == 1
    assert math.isnan(second)


def test_one_item_has_no_diversity() -> None:
    assert np.isnan(intra_list_diversity(category_distances(LISTS, CATEGORIES), 1)).all()


def test_coverage_is_the_share_of_items_in_some_list() -> None:
    assert item_coverage(np.array([3, 0, 1, 0, 0])) == 2 / 5


def test_all_items_alike_often_are_no_concentration() -> None:
    assert gini(np.array([4, 4, 4])) == 0


def test_one_item_in_all_places_is_the_most_concentration() -> None:
    assert gini(np.array([0, 0, 0, 9])) == 1 - 1 / 4


def test_concentration_is_half_the_mean_difference_by_the_mean() -> None:
    counts = [1, 2, 6]
    differences = [abs(a - b) for a in counts for b in counts]
    assert gini(np.array(counts)) == pytest.approx(sum(differences) / 9 / 2 / 3)
