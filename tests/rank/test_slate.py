import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmrec.rank.slate import fill

# items 0 (none) to 5: of category 1, of 1, of 2, of both, of none
CATEGORIES = np.array([[0, 0], [1, 0], [1, 0], [2, 0], [1, 2], [0, 0]], np.int32)


def filled(candidates: list[int], n: int, most: int | None) -> list[int]:
    return fill(np.array([candidates]), CATEGORIES, n, most)[0].tolist()


def slow_fill(candidates: list[int], n: int, most: int | None) -> list[int]:
    places: list[int] = []
    held: list[int] = []
    for place, item in enumerate(candidates):
        own = [int(c) for c in CATEGORIES[item] if c]
        if item == 0 or item in held or len(places) == n:
            continue
        if most is not None and any(sum(c in CATEGORIES[i] for i in held) >= most for c in own):
            continue
        places.append(place)
        held.append(item)
    return places + [-1] * (n - len(places))


def test_candidates_are_taken_in_their_order_and_once() -> None:
    assert filled([3, 3, 0, 1, 2], 3, None) == [0, 3, 4]
    assert filled([3], 2, None) == [0, -1]


def test_a_full_category_is_passed_over_also_by_an_item_that_has_another_too() -> None:
    assert filled([1, 2, 4, 3, 5], 3, 1) == [0, 3, 4]
    assert filled([4, 1, 3, 5, 2], 3, 1) == [0, 3, -1]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 5), min_size=8, max_size=8), min_size=1, max_size=4),
    st.integers(1, 4),
    st.none() | st.integers(1, 3),
)
def test_lists_are_those_of_a_plain_loop(rows: list[list[int]], n: int, most: int | None) -> None:
    got = fill(np.array(rows), CATEGORIES, n, most)
    assert got.tolist() == [slow_fill(row, n, most) for row in rows]
