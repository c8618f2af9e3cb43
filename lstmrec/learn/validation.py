"""How well a model ranks the held-out items while it trains: all items, the history's own removed."""

from typing import Any, Final

import numpy as np
import tensorflow as tf

from lstmrec.columns import PAD
from lstmrec.learn.feed import Batch

K: Final = 10


def ranks_of_targets(logits: Any, history: Any, target: Any) -> Any:
    """Rank of each row's target, 1 the best, among all items that are not in its history.

    Ties count against the model. A target that is in the history, or has no finite score, cannot be
    recommended: it comes after all items. Scores (2, 5, 5, 1) of the items 1 to 4, the history holding
    item 2 and the target item 3, give rank 1; with an empty history, rank 2.

    `history` is the row's items: exact while the history is not longer than the longest sequence. The
    evaluation removes what was seen before that, too.
    """
    rows = tf.shape(logits)[0]
    row = tf.broadcast_to(tf.range(rows)[:, tf.newaxis], tf.shape(history))
    seen = tf.reshape(tf.stack([row, history], axis=-1), (-1, 2))  # PAD is in it: never ranked
    allowed = tf.tensor_scatter_nd_update(logits, seen, tf.fill(tf.shape(seen)[:1], -float("inf")))
    allowed = tf.concat([tf.fill((rows, 1), -float("inf")), allowed[:, PAD + 1 :]], axis=1)
    score = tf.gather(allowed, target, axis=1, batch_dims=1)
    at_least = tf.reduce_sum(tf.cast(allowed >= score[:, tf.newaxis], tf.int32), axis=1)
    return tf.where(tf.math.is_finite(score), at_least, tf.shape(logits)[1])


def hit_and_gain(ranks: Any) -> tuple[Any, Any]:
    """Sums over rows of hit@10 and of 1 / log2(1 + rank) at the hits: NDCG@10 with one relevant item."""
    hit = tf.cast(ranks <= K, tf.float32)
    gain = hit * tf.math.log(2.0) / tf.math.log(1.0 + tf.cast(ranks, tf.float32))
    return tf.reduce_sum(hit), tf.reduce_sum(gain)


def last_as_target(batch: Batch) -> Batch:
    """Training rows as validation rows: the last item of each is its target, the others are its history.

    The items 5, 6, 7 become the history 5, 6 with the target 7; a row of one item, or of none, has no
    history, so it counts nowhere.
    """
    last = np.maximum(batch.length - 1, 0)
    target = batch.items[np.arange(len(last)), last]
    is_earlier = np.arange(batch.items.shape[1]) < last[:, None]
    items, types, gaps = (np.where(is_earlier, column, PAD) for column in batch[:3])
    return Batch(items, types, gaps, last, target)
