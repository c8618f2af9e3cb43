"""How weights follow gradients."""

from collections.abc import Sequence
from typing import Any, Final

import keras
import tensorflow as tf

from lstmrec.recipe import TrainingConfig

BETA_1: Final = 0.9
BETA_2: Final = 0.98
EPSILON: Final = 1e-7


def adamw(weights: Sequence[Any], config: TrainingConfig, steps_per_epoch: int) -> Any:
    """AdamW; the rate rises over the warm-up and stays: averaging the weights is what settles them.

    So no epoch depends on how many were planned, and one may stop at any.
    """
    rate = warm_up(config, steps_per_epoch)
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=config.weight_decay, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(weights)
    return optimizer


def warm_up(config: TrainingConfig, steps_per_epoch: int) -> "WarmUp":
    """The rate of each step of a training of `config`."""
    return WarmUp(config.learning_rate, round(config.warmup_epochs * steps_per_epoch))


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises evenly over the first `steps` steps: 1/4, 2/4, 3/4 of it, then all, for 4."""

    def __init__(self, rate: float, steps: int) -> None:
        self._rate = rate
        self._steps = max(1, steps)

    def __call__(self, step: Any) -> Any:
        return self._rate * tf.minimum(1.0, (tf.cast(step, tf.float32) + 1) / self._steps)
