"""How weights follow gradients."""

from typing import Any

import keras
import tensorflow as tf

from lstmrec.learn.model import NextItemModel
from lstmrec.recipe import TrainingConfig


def adamw(model: NextItemModel, config: TrainingConfig, steps_per_epoch: int) -> Any:
    """AdamW; the rate rises over the warm-up and stays: averaging the weights is what settles them.

    So no epoch depends on how many were planned, and one may stop at any.
    """
    rate = WarmUp(config.learning_rate, round(config.warmup_epochs * steps_per_epoch))
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, beta_2=0.98)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    return optimizer


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises evenly over the first `steps` steps: 1/4, 2/4, 3/4 of it, then all, for 4."""

    def __init__(self, rate: float, steps: int) -> None:
        self._rate = rate
        self._steps = max(1, steps)

    def __call__(self, step: Any) -> Any:
        return self._rate * tf.minimum(1.0, (tf.cast(step, tf.float32) + 1) / self._steps)
