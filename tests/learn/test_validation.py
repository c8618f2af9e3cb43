import math

import numpy as np
import pytest
import tensorflow as tf

from lstmrec.learn.feed import Batch
from lstmrec.learn.validation import hit_and_gain, last_as_target, ranks_of_targets

# of items 1 to 4; the first score is PAD's
SCORES = [[9.0, 2.0, 5.0, 5.0, 1.0]]


def rank(history: list[int], target: int, scores: list[list[float]] = SCORES) -> int:
    return int(ranks_of_targets(tf.constant(scores), tf.constant([history]), tf.constant([target]))[0])


@pytest.mark.parametrize(
    ("history", "target", "wanted"),
    [
        ([4, 0], 2, 2),  # items 2 and 3 tie: the tie counts against the target
        ([4, 0], 3, 2),
        ([2, 0], 3, 1),  # what was seen is out of the way
        ([2, 3], 1, 1),
        ([1, 0], 4, 3),
        ([0, 0], 4, 4),
    ],
)
def test_a_target_ranks_among_unseen_items_and_behind_its_equals(
    history: list[int], target: int, wanted: int
) -> None:
    assert rank(history, target) == wanted


def test_a_target_that_was_seen_before_cannot_be_recommended() -> None:
    assert rank([3, 0], 3) == 5


def test_a_score_that_is_no_number_is_a_miss() -> None:
    assert rank([0, 0], 1, [[0.0, float("nan"), 1.0, 1.0, 1.0]]) == 5


def test_rows_are_ranked_each_against_its_own_history() -> None:
    scores = tf.constant(SCORES * 2)
    assert ranks_of_targets(scores, tf.constant([[2, 0], [3, 4]]), tf.constant([1, 1])).numpy().tolist() == [
        2,
        2,
    ]


def test_gain_falls_with_the_rank_and_ends_after_ten() -> None:
    hits, gains = hit_and_gain(tf.constant([1, 3, 10, 11]))
    assert float(hits) == 3
    assert float(gains) == pytest.approx(1 + 1 / 2 + 1 / math.log2(11))


def test_the_last_item_of_a_training_row_becomes_its_target() -> None:
    items, types, gaps = (
        np.array([[a, b, c, 0], [8, 0, 0, 0], [0, 0, 0, 0]]) for a, b, c in [(5, 6, 7), (1, 2, 3), (1, 4, 9)]
    )
    got = last_as_target(Batch(items, types, gaps, np.array([3, 1, 0]), np.zeros(3, int)))
    assert got.items.tolist() == [[5, 6, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert (got.types[0].tolist(), got.gaps[0].tolist()) == ([1, 2, 0, 0], [1, 4, 0, 0])
    assert got.length.tolist() == [2, 0, 0]
    assert got.target[0] == 7
