import numpy as np

from lstmrec.rank.reasons import directions, nearest

# item 0 is none; 1 to 4 at 0, 60, 90 and 180 degrees, of several lengths; 5 looks like 2
VECTORS = directions(np.array([[0, 0], [2, 0], [0.5, 0.75**0.5], [0, 3], [-1, 0], [1, 3**0.5]], np.float32))


def test_the_nearest_by_angle_come_first_whatever_their_length() -> None:
    got = nearest(np.array([[1, 3]]), np.array([[4, 3, 2, 0]]), VECTORS, 2)
    assert got.tolist() == [[[2, 3], [3, 2]]]


def test_of_equals_the_later_one_and_each_item_once() -> None:
    assert nearest(np.array([[1]]), np.array([[2, 5, 4, 4]]), VECTORS, 3).tolist() == [[[5, 2, 4]]]


def test_a_history_of_fewer_items_leaves_places_empty() -> None:
    assert nearest(np.array([[1], [1]]), np.array([[3], [0]]), VECTORS, 2).tolist() == [[[3, 0]], [[0, 0]]]
