"""What moves a table's touched rows, next to the optimizer and the average that move all of them."""

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from lstmrec.learn.averaging import WeightAverage
from lstmrec.learn.optimizer import adamw
from lstmrec.learn.touched_rows import TouchedRows
from tests.learn.tables import training_config

STEPS_PER_EPOCH = 6
CONFIG = training_config(weight_decay=0.1, average_epochs=0.5, warmup_epochs=1)  # a window of 3 steps


def table() -> tf.Variable:
    return tf.Variable(np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32), name="table")


def slopes(steps: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(steps, 5, 3)).astype(np.float32)


def take(rows: TouchedRows, gradient: np.ndarray, touched: Sequence[int]) -> None:
    rows.apply(tf.IndexedSlices(gradient[list(touched)], tf.constant(touched, tf.int32)))


def test_rows_that_each_step_touches_move_as_by_adamw_and_so_does_their_average() -> None:
    of_all, of_touched = table(), table()
    optimizer, average = adamw([of_all], CONFIG, STEPS_PER_EPOCH), WeightAverage([of_all], 3)
    rows = TouchedRows(of_touched, CONFIG, STEPS_PER_EPOCH)
    for gradient in slopes(8):
        optimizer.apply([tf.constant(gradient)], [of_all])
        average.update()
        take(rows, gradient, [3, 0, 4, 1, 2])
    np.testing.assert_allclose(of_touched, of_all, rtol=1e-5)
    with average.in_place(), rows.in_place():
        np.testing.assert_allclose(of_touched, of_all, rtol=1e-5)
    np.testing.assert_allclose(of_touched, of_all, rtol=1e-5)


@pytest.mark.parametrize("average_epochs", [0, 0.5, 100])
def test_the_average_of_rows_touched_now_and_then_is_that_of_all_steps(average_epochs: float) -> None:
    config = CONFIG.model_copy(update={"average_epochs": average_epochs})
    weights = table()
    rows = TouchedRows(weights, config, STEPS_PER_EPOCH)
    average = WeightAverage([weights], round(average_epochs * STEPS_PER_EPOCH))
    for gradient, touched in zip(slopes(9), [[0], [1, 0], [2], [0], [1], [2, 0], [1], [3], [3]], strict=True):
        take(rows, gradient, touched)
        average.update()
    with average.in_place():
        wanted = weights.numpy()
    with rows.in_place():
        np.testing.assert_allclose(weights, wanted, rtol=1e-5)


def test_a_row_that_no_step_touches_stays_to_the_bit() -> None:
    weights = table()
    rows = TouchedRows(weights, CONFIG, STEPS_PER_EPOCH)
    for gradient in slopes(4):
        take(rows, gradient, [0, 2])
    with rows.in_place():
        assert np.array_equal(weights[1], table()[1])
    assert np.array_equal(weights[4], table()[4])
    assert not np.array_equal(weights[2], table()[2])
