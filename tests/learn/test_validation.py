import math

import pytest
import tensorflow as tf

from lstmrec.learn.validation import hit_and_gain, ranks_of_targets

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
