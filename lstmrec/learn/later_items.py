"""Targets beyond the next item: what comes a little later says much the same of what somebody wants."""

from typing import Any, Final

import tensorflow as tf

from lstmrec.columns import PAD
from lstmrec.learn.model import NextItemModel

HORIZON: Final = 3
"""Items after the next one that share its probability: the weight of a fourth would be next to nothing."""


def shared_with_later(model: NextItemModel, vectors: Any, items: Any, at: Any, weight: float) -> Any:
    """What a cross-entropy grows by when the target shares its probability with the items after it.

    The item k places after the target weighs weight^k against the target's 1, as far as the row goes. A
    cross-entropy is linear in the target's probabilities, so this costs a score an item and no
    second softmax. `vectors` are of the positions `at` of `items`, and the loss is their sum.
    """
    padded = tf.pad(items, [[0, 0], [0, HORIZON + 1]], constant_values=PAD)
    places = [tf.gather_nd(padded, at + tf.constant([[0, k]], tf.int64)) for k in range(1, HORIZON + 2)]
    own = model.logit_of(vectors, places[0])
    weights = [tf.where(item != PAD, weight**k, 0.0) for k, item in enumerate(places[1:], start=1)]
    total = 1 + tf.add_n(weights)
    pulls = [
        share * (own - model.logit_of(vectors, item)) for share, item in zip(weights, places[1:], strict=True)
    ]
    return tf.reduce_sum(tf.add_n(pulls) / total)
