"""A table of which a step touches few rows: its optimizer and its running average move those alone.

A sampled loss has gradients for the items of its histories and for those it drew, some thousands. AdamW and
the average over a million rows would take a hundred times as long as the rest of the step.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import tensorflow as tf

from lstmrec.learn import averaging
from lstmrec.learn.optimizer import BETA_1, BETA_2, EPSILON, warm_up
from lstmrec.recipe import TrainingConfig

LEAST_SHARE_LEFT: Final = 1e-30


class TouchedRows:
    """AdamW and the average of `averaging.WeightAverage` for the rows of `table` that a step touches.

    The optimizer is the lazy Adam of TensorFlow Addons (`tfa.optimizers.LazyAdam`; PyTorch's is
    `torch.optim.SparseAdam`): a row without a gradient keeps its moments, and its weights decay when it is
    touched. So it differs from AdamW where a row is not touched by each step. The average does not: how far
    an untouched row's moves towards the row follows from the number of steps, and is made up for later.
    """

    def __init__(self, table: Any, config: TrainingConfig, steps_per_epoch: int) -> None:
        self.table = table
        self._rate = warm_up(config, steps_per_epoch)
        self._weight_decay = config.weight_decay
        self._window = max(1, averaging.window(config, steps_per_epoch))
        self._momentum, self._velocity = (tf.Variable(tf.zeros_like(table), trainable=False) for _ in "mv")
        self._average = tf.Variable(table, trainable=False)
        self._averaged_at = tf.Variable(tf.zeros(table.shape[0]), trainable=False)
        self._taken = tf.Variable(0.0, trainable=False)

    @property
    def variables(self) -> list[Any]:
        """All that it remembers."""
        return [self._momentum, self._velocity, self._average, self._averaged_at, self._taken]

    def apply(self, gradient: tf.IndexedSlices) -> None:
        """Take a step by the gradient of some rows, each named once; usable in a tf.function."""
        rows, slope = gradient.indices, gradient.values
        before = tf.gather(self.table, rows)
        average = self._caught_up(rows, before, self._taken)
        rate = self._rate(self._taken)
        self._taken.assign_add(1.0)
        momentum = _moved(self._momentum, rows, slope, 1 - BETA_1)
        velocity = _moved(self._velocity, rows, tf.square(slope), 1 - BETA_2)
        correction = tf.sqrt(1 - BETA_2**self._taken) / (1 - BETA_1**self._taken)
        step = rate * correction * momentum / (tf.sqrt(velocity) + EPSILON)
        after = before * (1 - rate * self._weight_decay) - step
        moved = averaging.share(self._window, self._taken)
        _put(self.table, rows, after)
        _put(self._average, rows, average + (after - average) * moved)
        _put(self._averaged_at, rows, tf.fill(tf.shape(rows), self._taken))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the rows are their average."""
        raw = self.table.numpy()
        self.table.assign(self._caught_up(tf.range(tf.shape(raw)[0]), raw, self._taken))
        yield
        self.table.assign(raw)

    def _caught_up(self, rows: Any, weights: Any, taken: Any) -> Any:
        """The rows' average after `taken` steps, of which the latest did not touch them."""
        since, average = tf.gather(self._averaged_at, rows), tf.gather(self._average, rows)
        left = tf.exp(self._log_share_left(taken) - self._log_share_left(since))
        return weights + (average - weights) * left[:, tf.newaxis]

    def _log_share_left(self, taken: Any) -> Any:
        """Log of what so many steps leave of a distance: 1/2 * 2/3 * ..., then 1 - 1/window each."""
        a_step = math.log(max(LEAST_SHARE_LEFT, 1 - 1 / self._window))
        within = tf.clip_by_value(taken, 1.0, self._window)
        return -tf.math.log(within) + tf.maximum(taken - self._window, 0.0) * a_step


def _moved(of: Any, rows: Any, towards: Any, share: float) -> Any:
    """The rows of a moment, a share of the way on; they are put back, too."""
    before = tf.gather(of, rows)
    after = before + (towards - before) * share
    _put(of, rows, after)
    return after


def _put(variable: Any, rows: Any, values: Any) -> None:
    variable.scatter_update(tf.IndexedSlices(values, rows))
