"""Cross-entropy over all items, a block of scores at a time."""

from collections.abc import Callable
from typing import Any, Final

import tensorflow as tf

BLOCK_SCORES: Final = 2**20
"""Scores held at a time, 4 MB: they stay in a core's cache, and memory does not grow with the batch."""


@tf.custom_gradient
def cross_entropy(vectors: Any, table: Any, bias: Any, targets: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Sum over rows of -log softmax(vectors . table + bias) at the target.

    Block by block, each with its gradient at once: the scores of a whole batch, here and again for the
    gradient, would be most of training's memory and half of its time.
    """
    rows = tf.shape(vectors)[0]
    block = tf.maximum(1, BLOCK_SCORES // tf.shape(table)[0])
    blocks = tf.maximum(1, (rows + block - 1) // block)

    def one(turn: Any, loss: Any, by_vectors: Any, by_table: Any, by_bias: Any) -> tuple[Any, ...]:
        here = slice(turn * block, tf.minimum(rows, (turn + 1) * block))
        scores = tf.matmul(vectors[here], table, transpose_b=True) + bias
        losses, by_scores = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=scores, labels=targets[here]
        )
        return (
            turn + 1,
            loss + tf.reduce_sum(losses),
            by_vectors.write(turn, tf.matmul(by_scores, table)),
            by_table + tf.matmul(by_scores, vectors[here], transpose_a=True),
            by_bias + tf.reduce_sum(by_scores, axis=0),
        )

    parts = tf.TensorArray(vectors.dtype, blocks, infer_shape=False, element_shape=(None, table.shape[1]))
    nothing = (tf.zeros((), vectors.dtype), parts, tf.zeros_like(table), tf.zeros_like(bias))
    _, loss, parts, by_table, by_bias = tf.while_loop(
        lambda turn, *_: turn < blocks, one, (0, *nothing), parallel_iterations=1
    )
    by_vectors = tf.reshape(parts.concat(), tf.shape(vectors))

    def gradient(upstream: Any) -> tuple[Any, ...]:
        return upstream * by_vectors, upstream * by_table, upstream * by_bias, None

    return loss, gradient
