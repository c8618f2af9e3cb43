"""Cross-entropy over all items, a block of scores at a time."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import tensorflow as tf

BLOCK_SCORES: Final = 2**20
"""Scores held at a time, 4 MB: they stay in a core's cache, and memory does not grow with the batch."""

LEAST_PROBABILITY: Final = float(np.finfo(np.float32).tiny)


@tf.custom_gradient
def cross_entropy(vectors: Any, table: Any, bias: Any, targets: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Sum over rows of -log softmax(vectors . table + bias) at the target.

    Block by block, each with its gradient at once: the scores of a whole batch, here and again for the
    gradient, would be most of training's memory and half of its time. The gradient by the scores is their
    probabilities, less 1 at the target: that 1 is taken off the sums at the end, without another
    pass over the scores. Products are made in the vectors' precision; the softmax and all sums are float32.
    """
    precision, narrow = vectors.dtype, tf.cast(table, vectors.dtype)
    rows = tf.shape(vectors)[0]
    block = tf.maximum(1, BLOCK_SCORES // tf.shape(table)[0])
    blocks = tf.maximum(1, (rows + block - 1) // block)
    columns = tf.transpose(narrow)  # products of it so take a fifth less time than with the table's rows

    def one(turn: Any, loss: Any, by_vectors: Any, by_table: Any, by_bias: Any) -> tuple[Any, ...]:
        here = slice(turn * block, tf.minimum(rows, (turn + 1) * block))
        scores = tf.cast(vectors[here] @ columns, tf.float32) + bias
        losses, probabilities = losses_and_probabilities(scores, targets[here])
        shares = tf.cast(probabilities, precision)
        return (
            turn + 1,
            loss + tf.reduce_sum(losses),
            by_vectors.write(turn, shares @ narrow),
            by_table + tf.cast(tf.matmul(shares, vectors[here], transpose_a=True), tf.float32),
            by_bias + tf.reduce_sum(probabilities, axis=0),
        )

    parts = tf.TensorArray(precision, blocks, infer_shape=False, element_shape=(None, table.shape[1]))
    nothing = (tf.zeros(()), parts, tf.zeros_like(table), tf.zeros_like(bias))
    _, loss, parts, by_table, by_bias = tf.while_loop(
        lambda turn, *_: turn < blocks, one, (0, *nothing), parallel_iterations=1
    )
    at = targets[:, tf.newaxis]
    by_vectors = tf.reshape(parts.concat(), tf.shape(vectors)) - tf.gather(narrow, targets)
    by_table = tf.tensor_scatter_nd_sub(by_table, at, tf.cast(vectors, tf.float32))
    by_bias = tf.tensor_scatter_nd_sub(by_bias, at, tf.ones((rows,)))

    def gradient(upstream: Any) -> tuple[Any, ...]:
        return tf.cast(upstream, precision) * by_vectors, upstream * by_table, upstream * by_bias, None

    return loss, gradient


def losses_and_probabilities(scores: Any, targets: Any) -> tuple[Any, Any]:
    """Each row's cross-entropy at its target, and the softmax of its scores, by oneDNN's softmax.

    It takes a seventh of the time of TensorFlow's own cross-entropy on a CPU. A target's probability that
    is 0 in float32 counts as the least one above it: the gradient is right all the same. A score that is
    not finite shows in the gradient, if not in the loss.
    """
    probabilities = tf.nn.softmax(scores)
    own = tf.gather(probabilities, targets, batch_dims=1)
    return -tf.math.log(tf.where(own == 0, LEAST_PROBABILITY, own)), probabilities
