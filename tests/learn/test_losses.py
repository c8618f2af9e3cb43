import math

import numpy as np
import pytest
import tensorflow as tf

from lstmrec.learn import losses
from lstmrec.learn.losses import cross_entropy, next_item_loss
from lstmrec.learn.model import NextItemModel, build
from tests.learn.tables import model_config


def scoring(*item_scores: float) -> NextItemModel:
    """A model whose item i scores item_scores[i - 1] after any history."""
    model = build(len(item_scores), 1, model_config())
    model.item_table.embeddings.assign(tf.zeros_like(model.item_table.embeddings))
    model.item_bias.assign([0.0, *item_scores])
    return model


def loss_of(
    model: NextItemModel, items: list[list[int]], length: list[int], smoothing: float = 0.0
) -> tuple[float, float]:
    history = tf.constant(items, tf.int32)
    states = model(history, tf.ones_like(history), tf.ones_like(history))
    total, count = next_item_loss(model, history, states, tf.constant(length), smoothing)
    return float(total), float(count)


def test_the_loss_is_the_cross_entropy_at_each_position_that_has_a_next_item() -> None:
    # probabilities 1/8, 2/8, 5/8; the targets of (1, 3, 2) are 3 and 2
    model = scoring(0.0, math.log(2), math.log(5))
    total, count = loss_of(model, [[1, 3, 2]], [3])
    assert count == 2
    assert total == pytest.approx(math.log(8 / 5) + math.log(8 / 2), abs=1e-5)


def test_padding_and_rows_without_a_next_item_weigh_nothing() -> None:
    model = scoring(0.0, math.log(2), math.log(5))
    total, count = loss_of(model, [[1, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]], [2, 1, 0])
    assert count == 1
    assert total == pytest.approx(math.log(8 / 5), abs=1e-5)


def test_no_position_at_all_gives_zero_and_no_gradient_but_zeros() -> None:
    model = scoring(0.0, 1.0)
    empty = tf.zeros((1, 4), tf.int32)
    with tf.GradientTape() as tape:
        total, count = next_item_loss(model, empty, model(empty, empty, empty), tf.zeros(1, tf.int32), 0.1)
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total, model.trainable_variables)]
    assert (float(total), float(count)) == (0, 0)
    assert all(not np.any(gradient) for gradient in gradients)


def test_label_smoothing_spreads_a_share_over_all_items_but_padding() -> None:
    # e = 0.3 over 3 items: the target 3 keeps 0.8, items 1 and 2 have 0.1 each
    model = scoring(0.0, math.log(2), math.log(5))
    total, _ = loss_of(model, [[1, 3]], [2], smoothing=0.3)
    wanted = 0.8 * math.log(8 / 5) + 0.1 * math.log(8 / 2) + 0.1 * math.log(8 / 1)
    assert total == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("scores_at_a_time", [1, 30, 2**20])  # a row, 3 rows (7 = 3 + 3 + 1), all
def test_blocks_give_the_loss_and_gradients_of_one_softmax(
    scores_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "BLOCK_SCORES", scores_at_a_time)
    rng = np.random.default_rng(1)
    vectors, table, bias = (tf.constant(rng.normal(size=s), tf.float32) for s in ((7, 4), (10, 4), (10,)))
    targets = tf.constant(rng.integers(0, 10, 7), tf.int32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([vectors, table, bias])
        ours = 2 * cross_entropy(vectors, table, bias, targets)
        scores = tf.matmul(vectors, table, transpose_b=True) + bias
        plain = 2 * tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, scores))
    assert float(ours) == pytest.approx(float(plain), rel=1e-5)
    for got, wanted in zip(*(tape.gradient(of, [vectors, table, bias]) for of in (ours, plain)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
