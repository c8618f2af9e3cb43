"""What training minimises. A loss comes as a sum and a count, so that the mean over all ranks is exact."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from lstmrec.learn.full_softmax import cross_entropy
from lstmrec.learn.later_items import shared_with_later
from lstmrec.learn.model import NextItemModel
from lstmrec.learn.negatives import Counts, Negatives
from lstmrec.learn.sampled_losses import bpr_max, sampled_softmax
from lstmrec.recipe import TrainingConfig

RowsLoss = Callable[[NextItemModel, Any, Any], Any]
"""(model, vectors, targets) -> the sum of a loss over rows."""


class Loss(NamedTuple):
    """A loss of rows with one target each, and how far the items after the target share its probability."""

    of_rows: RowsLoss
    later_items: float
    seeds: tuple[Any, ...] = ()
    """Variables of its random numbers, which differ by rank."""

    @property
    def draws(self) -> bool:
        """Whether it scores drawn items alone: a step's gradient then has few of the item table's rows."""
        return bool(self.seeds)


def chosen_loss(config: TrainingConfig, n_items: int) -> str:
    """The loss that training.loss names; auto is full up to training.full_up_to_items, sampled above."""
    if config.loss != "auto":
        return config.loss
    return "full" if n_items <= config.full_up_to_items else "sampled"


def loss_of(config: TrainingConfig, n_items: int, count_items: Callable[[], Counts]) -> Loss:
    """The loss of `config` over `n_items`; where it draws items, `count_items` says how often each came.

    BPR-max gives no probabilities, so nothing is shared there.
    """
    name = chosen_loss(config, n_items)
    if name == "full":
        return Loss(
            lambda model, vectors, targets: smoothed(model, vectors, targets, config.label_smoothing),
            config.later_items,
        )
    negatives = Negatives(count_items(), config.negatives_alpha, config.negatives)
    if name == "bpr_max":
        return Loss(
            lambda model, vectors, targets: bpr_max(
                model, vectors, targets, negatives.draw(), config.bpr_max_penalty
            ),
            0.0,
            (negatives.seeds.state,),
        )

    def sampled(model: NextItemModel, vectors: Any, targets: Any) -> Any:
        drawn = negatives.draw()
        return sampled_softmax(model, vectors, targets, drawn, negatives.log_expected(drawn))

    return Loss(sampled, config.later_items, (negatives.seeds.state,))


def next_item_loss(model: NextItemModel, items: Any, states: Any, length: Any, loss: Loss) -> tuple[Any, Any]:
    """Sum of a loss over all positions with a next item, and how many there are.

    Position t's target is items[t + 1]; padding is left out before the scores, so it costs nothing.
    """
    positions = tf.range(tf.shape(items)[1])
    at = tf.where(positions[tf.newaxis, :] < length[:, tf.newaxis] - 1)
    vectors = tf.gather_nd(states, at)
    targets = tf.gather_nd(items, at + tf.constant([[0, 1]], tf.int64))
    total = loss.of_rows(model, vectors, targets)
    if loss.later_items:
        total += shared_with_later(model, vectors, items, at, loss.later_items)
    return total, tf.cast(tf.size(targets), tf.float32)


def smoothed(model: NextItemModel, vectors: Any, targets: Any, label_smoothing: float) -> Any:
    """Sum of cross-entropies over all items where the target has probability 1 - e + e / n_items.

    Each other item has e / n_items, for e = `label_smoothing`. Logits (0, ln 3) of two items and the
    second as target, without smoothing: the loss is ln 4 - ln 3.
    """
    loss = cross_entropy(vectors, model.table(), model.bias(), targets)
    if label_smoothing:
        pull = model.logit_of(vectors, targets) - model.mean_logit(vectors)
        loss += label_smoothing * tf.reduce_sum(pull)
    return loss
