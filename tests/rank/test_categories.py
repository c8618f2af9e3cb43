import numpy as np

from lstmrec.rank.categories import numbered


def test_each_category_has_a_number_and_each_item_those_of_its_own_once() -> None:
    numbers, number_of = numbered(np.array([3, 1]), [["b", "a", "b"], ["c"]], 4)
    assert number_of == {"a": 1, "b": 2, "c": 3}
    assert numbers.tolist() == [[0, 0], [3, 0], [0, 0], [1, 2]]


def test_items_without_categories_have_no_column() -> None:
    assert numbered(np.array([1]), [[]], 2)[0].shape == (2, 0)
