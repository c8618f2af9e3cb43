"""The running average of the weights: what is validated and kept, while the steps go on from the raw ones."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from lstmrec.recipe import TrainingConfig


def window(config: TrainingConfig, steps_per_epoch: int) -> int:
    """Steps that the average of a training of `config` is about."""
    return round(config.average_epochs * steps_per_epoch)


def share(steps: int, taken: Any) -> Any:
    """How far an average over about `steps` steps moves to the weights, once so many were `taken`."""
    return tf.maximum(1 / max(1, steps), 1 / taken)


class WeightAverage:
    """An exponential moving average of `weights` over about `steps` steps (Polyak and Juditsky, 1992).

    After step n the average moves by max(1 / steps, 1 / n) of the way to the weights: the first
    `steps` steps are their plain mean, so the random start is not in it. Weights 2 and then 4 with
    steps = 4 have the average 3.
    """

    def __init__(self, weights: Sequence[Any], steps: int) -> None:
        self._weights = weights
        self._average = [tf.Variable(weight, trainable=False) for weight in weights]
        self._steps = steps
        self._taken = tf.Variable(0.0, trainable=False)

    @property
    def variables(self) -> list[Any]:
        """All that it remembers."""
        return [*self._average, self._taken]

    def update(self) -> None:
        """Take in the weights after one more step; usable in a tf.function."""
        self._taken.assign_add(1.0)
        moved = share(self._steps, self._taken)
        for average, weight in zip(self._average, self._weights, strict=True):
            average.assign_add((tf.convert_to_tensor(weight) - average) * moved)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the weights are their average."""
        raw = [weight.numpy() for weight in self._weights]
        self._put([average.numpy() for average in self._average])
        yield
        self._put(raw)

    def _put(self, values: Sequence[Any]) -> None:
        for weight, value in zip(self._weights, values, strict=True):
            weight.assign(value)
