import numpy as np
import pytest

from lstmrec.rank.diversity import mmr
from lstmrec.rank.top_n import BLOCKED

SCORES = np.array([[3.0, 2.0, 1.0, 0.0, BLOCKED]], np.float32)  # relevance 1, 2/3, 1/3, 0, none
CATEGORIES = np.array([[[1, 2], [1, 2], [1, 0], [3, 0], [0, 0]]], np.int32)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0.0, [0, 1, 2, 3, 4]),
        # second: 2/3 - 1 < 0, 1/3 - 1/2 < 0, and 0 of another category; third: -1/3 against -1/6
        (0.5, [0, 3, 2, 1, 4]),
        (1.0, [0, 3, 2, 1, 4]),
        # second: .75 x 2/3 - .25, .75 / 3 - .125, 0: .25, .125, 0
        (0.25, [0, 1, 2, 3, 4]),
    ],
)
def test_what_is_like_an_item_chosen_before_comes_later(weight: float, expected: list[int]) -> None:
    assert mmr(SCORES, CATEGORIES, weight, 4).tolist() == [expected]


def test_after_the_first_n_the_rest_keeps_its_order() -> None:
    assert mmr(SCORES, CATEGORIES, 1.0, 2).tolist() == [[0, 3, 1, 2, 4]]


def test_equal_scores_and_rows_without_candidates_stay_as_they_are() -> None:
    scores = np.array([[1.0, 1.0, 1.0], [BLOCKED] * 3], np.float32)
    assert mmr(scores, np.zeros((2, 3, 1), np.int32), 0.5, 3).tolist() == [[0, 1, 2]] * 2
