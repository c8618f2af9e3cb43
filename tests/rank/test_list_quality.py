import numpy as np

from lstmrec.rank.list_quality import repeated, short, user_coverage

LISTS = np.array([[4, 7, 4, 9], [5, 6, 0, 0], [0, 0, 0, 0]])


def test_a_user_with_an_empty_list_is_not_covered() -> None:
    assert user_coverage(LISTS, 4).tolist() == [1, 1, 0]


def test_a_list_with_fewer_than_k_items_is_short() -> None:
    assert short(LISTS, 2).tolist() == [0, 0, 1]
    assert short(LISTS, 3).tolist() == [0, 1, 1]
    assert short(LISTS, 5).tolist() == [1, 1, 1]


def test_an_item_twice_among_the_first_k_is_a_repeat_and_empty_places_are_not() -> None:
    assert repeated(LISTS, 2).tolist() == [0, 0, 0]
    assert repeated(LISTS, 3).tolist() == [1, 0, 0]
    assert repeated(LISTS, 9).tolist() == [1, 0, 0]
