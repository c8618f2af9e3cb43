"""Losses whose cost does not grow with the catalogue: the target against items drawn by popularity.

Memory a step is positions x draws floats, a few times over, whatever the number of items. The scores of
a draw that is a position's own target are left out there.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from lstmrec.learn.full_softmax import losses_and_probabilities
from lstmrec.learn.model import NEVER, NextItemModel


def sampled_softmax(model: NextItemModel, vectors: Any, targets: Any, drawn: Any, log_expected: Any) -> Any:
    """Sum over rows of the cross-entropy whose sum over all items is estimated from the drawn ones.

    A drawn item stands for 1 / (expected draws) items: so its score is lowered by logQ (Bengio and
    Senecal, 2008); the target, always there, stands for itself alone. The estimate of the sum is then
    unbiased. Logits ln 2 of the target and 0 of one item, drawn with logQ ln .5: the estimated sum
    is 2 + 1 / .5, and the loss ln 4 - ln 2.
    """
    own = model.logit_of(vectors, targets)[:, tf.newaxis]
    others = _scores(model, vectors, targets, drawn, -log_expected)
    return _cross_entropy_of_first(tf.concat([own, others], axis=1))


def bpr_max(model: NextItemModel, vectors: Any, targets: Any, drawn: Any, penalty: float) -> Any:
    """Sum over rows of -log sum_j w_j s(own - score_j) + penalty sum_j w_j score_j^2.

    s is the logistic function, w the softmax of the drawn items' scores: the target must beat above
    all those that score high (Hidasi and Karatzoglou, CIKM 2018). The target at 0 against draws at 0
    and ln 3: w = (1/4, 3/4), s = (1/2, 1/4), so the loss is -ln(5/16) + penalty 3/4 (ln 3)^2.
    """
    own = model.logit_of(vectors, targets)[:, tf.newaxis]
    others = _scores(model, vectors, targets, drawn, tf.zeros_like(drawn, tf.float32))
    log_weights = tf.nn.log_softmax(others, axis=1)
    beaten = tf.reduce_logsumexp(log_weights + tf.math.log_sigmoid(own - others), axis=1)
    squares = tf.where(others > NEVER, tf.square(others), 0.0)
    large = tf.reduce_sum(tf.exp(log_weights) * squares, axis=1)
    return tf.reduce_sum(penalty * large - beaten)


@tf.custom_gradient
def _cross_entropy_of_first(scores: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Sum over rows of -log softmax(scores) in the first column."""
    losses, probabilities = losses_and_probabilities(scores, tf.zeros_like(scores[:, 0], tf.int32))

    def gradient(upstream: Any) -> Any:
        return upstream * (probabilities - tf.one_hot(0, tf.shape(scores)[1]))

    return tf.reduce_sum(losses), gradient


def _scores(model: NextItemModel, vectors: Any, targets: Any, drawn: Any, raised: Any) -> Any:
    """[rows, draws] scores, raised by a number a draw; where a draw is the row's own target, NEVER."""
    raised += tf.gather(model.bias(), drawn)
    table = tf.cast(model.vectors_of(drawn), vectors.dtype)
    scores = tf.cast(tf.matmul(vectors, table, transpose_b=True), tf.float32) + raised
    return tf.where(drawn[tf.newaxis, :] == targets[:, tf.newaxis], NEVER, scores)
