"""Items drawn to stand for all others, by their popularity in what the model learns from."""

from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmrec.columns import PAD

Counts = npt.NDArray[np.int64]
"""How often each item is in the training rows, by item index; that of PAD does not matter."""

LEAST_COUNT: Final = 1
"""An item that no history holds is drawn as often as one that came once: it must learn to score low, too."""


class Negatives:
    """`number` draws with replacement, item i with probability count_i^alpha over the sum of all; no PAD."""

    def __init__(self, counts: Counts, alpha: float, number: int) -> None:
        weights = np.maximum(counts, LEAST_COUNT).astype(np.float64) ** alpha
        weights[PAD] = 0
        share = weights / weights.sum()
        self._number = number
        self.seeds = (
            keras.random.SeedGenerator()
        )  # unlike TensorFlow's own state, it can be kept and put back
        self._up_to = tf.constant(np.cumsum(share[PAD + 1 :]), tf.float64)  # float32 ends at a million items
        with np.errstate(divide="ignore"):
            self._log_expected = tf.constant(np.log(number * share), tf.float32)

    def draw(self) -> Any:
        """[number] item indices."""
        seed = tf.cast(self.seeds.next(), tf.int64)
        points = tf.random.stateless_uniform((self._number,), seed, dtype=tf.float64) * self._up_to[-1]
        places = tf.searchsorted(self._up_to, points, side="right")
        return tf.minimum(places, tf.size(self._up_to) - 1) + (PAD + 1)

    def log_expected(self, items: Any) -> Any:
        """Log of how often each item is expected among the draws of a step: logQ."""
        return tf.gather(self._log_expected, items)
