import math

import numpy as np
import pytest
import tensorflow as tf

from lstmrec.learn import full_softmax
from lstmrec.learn.full_softmax import cross_entropy
from lstmrec.learn.losses import Loss, chosen_loss, loss_of, next_item_loss, smoothed
from lstmrec.learn.model import NextItemModel, build
from lstmrec.learn.negatives import Negatives
from lstmrec.learn.sampled_losses import bpr_max, sampled_softmax
from tests.learn.tables import model_config, training_config


def scoring(*item_scores: float) -> NextItemModel:
    """A model whose item i scores item_scores[i - 1] after any history."""
    model = build(len(item_scores), 1, model_config())
    model.item_table.embeddings.assign(tf.zeros_like(model.item_table.embeddings))
    model.item_bias.assign([0.0, *item_scores])
    return model


def vectors(rows: int) -> tf.Tensor:
    return tf.ones((rows, 16))


def total_of(
    model: NextItemModel,
    items: list[list[int]],
    length: list[int],
    smoothing: float = 0.0,
    later_items: float = 0.0,
) -> tuple[float, float]:
    history = tf.constant(items, tf.int32)
    states = model(history, tf.ones_like(history), tf.ones_like(history))

    def full(model: NextItemModel, vectors: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return smoothed(model, vectors, targets, smoothing)

    total, count = next_item_loss(model, history, states, tf.constant(length), Loss(full, later_items))
    return float(total), float(count)


def test_the_loss_is_the_cross_entropy_at_each_position_that_has_a_next_item() -> None:
    # probabilities 1/8, 2/8, 5/8; the targets of (1, 3, 2) are 3 and 2
    model = scoring(0.0, math.log(2), math.log(5))
    total, count = total_of(model, [[1, 3, 2]], [3])
    assert count == 2
    assert total == pytest.approx(math.log(8 / 5) + math.log(8 / 2), abs=1e-5)


def test_padding_and_rows_without_a_next_item_weigh_nothing() -> None:
    model = scoring(0.0, math.log(2), math.log(5))
    total, count = total_of(model, [[1, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]], [2, 1, 0])
    assert count == 1
    assert total == pytest.approx(math.log(8 / 5), abs=1e-5)


@pytest.mark.parametrize("name", ["full", "sampled", "bpr_max"])
def test_no_position_at_all_gives_zero_and_no_gradient_but_zeros(name: str) -> None:
    model = scoring(0.0, 1.0)
    empty = tf.zeros((1, 4), tf.int32)
    chosen = loss_of(training_config(loss=name), 2, lambda: np.array([0, 3, 2], np.int64))
    with tf.GradientTape() as tape:
        total, count = next_item_loss(model, empty, model(empty, empty, empty), tf.zeros(1, tf.int32), chosen)
    gradients = [
        tf.convert_to_tensor(g) for g in tape.gradient(total, model.trainable_variables) if g is not None
    ]
    assert (float(total), float(count)) == (0, 0)
    assert gradients
    assert all(not np.any(gradient) for gradient in gradients)


def test_label_smoothing_spreads_a_share_over_all_items_but_padding() -> None:
    # e = 0.3 over 3 items: the target 3 keeps 0.8, items 1 and 2 have 0.1 each
    model = scoring(0.0, math.log(2), math.log(5))
    total, _ = total_of(model, [[1, 3]], [2], smoothing=0.3)
    wanted = 0.8 * math.log(8 / 5) + 0.1 * math.log(8 / 2) + 0.1 * math.log(8 / 1)
    assert total == pytest.approx(wanted, abs=1e-5)


def test_a_target_shares_its_probability_with_the_items_after_it() -> None:
    # after 1: items 3 and 2 weigh 1 and 1/2, so 2/3 and 1/3; after 3: item 2 is the last, and has all
    model = scoring(0.0, math.log(2), math.log(5))
    total, count = total_of(model, [[1, 3, 2, 0]], [3], later_items=0.5)
    assert count == 2
    wanted = 2 / 3 * math.log(8 / 5) + 1 / 3 * math.log(8 / 2) + math.log(8 / 2)
    assert total == pytest.approx(wanted, abs=1e-5)


def test_no_item_beyond_the_horizon_shares_it() -> None:
    # after the first 1: four items 2 weigh 1, 1/2, 1/4 and 1/8, and the fifth item, a 3, nothing
    model = scoring(0.0, math.log(2), math.log(5))
    after_one = total_of(model, [[1, 2, 2, 2, 2, 3]], [6], later_items=0.5)[0]
    after_two = total_of(model, [[2, 2, 2, 2, 3]], [5], later_items=0.5)[0]
    assert after_one - after_two == pytest.approx(math.log(8 / 2), abs=1e-5)


@pytest.mark.parametrize("scores_at_a_time", [1, 30, 2**20])  # a row, 3 rows (7 = 3 + 3 + 1), all
def test_blocks_give_the_loss_and_gradients_of_one_softmax(
    scores_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_softmax, "BLOCK_SCORES", scores_at_a_time)
    rng = np.random.default_rng(1)
    given, table, bias = (tf.constant(rng.normal(size=s), tf.float32) for s in ((7, 4), (10, 4), (10,)))
    targets = tf.constant(rng.integers(0, 10, 7), tf.int32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([given, table, bias])
        ours = 2 * cross_entropy(given, table, bias, targets)
        scores = tf.matmul(given, table, transpose_b=True) + bias
        plain = 2 * tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, scores))
    assert float(ours) == pytest.approx(float(plain), rel=1e-5)
    for got, wanted in zip(*(tape.gradient(of, [given, table, bias]) for of in (ours, plain)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_with_vectors_of_16_bits_the_products_are_rounded_and_the_loss_is_not() -> None:
    rng = np.random.default_rng(1)
    table, bias = (tf.constant(rng.normal(size=size), tf.float32) for size in ((10, 4), (10,)))
    given = tf.constant(rng.normal(size=(7, 4)), tf.bfloat16)
    targets = tf.constant(rng.integers(0, 10, 7), tf.int32)

    def of(vectors: tf.Tensor) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            tape.watch([vectors, table, bias])
            loss = cross_entropy(vectors, table, bias, targets)
        return [loss, *tape.gradient(loss, [vectors, table, bias])]

    rounded, exact = of(given), of(tf.cast(given, tf.float32))
    assert [value.dtype for value in rounded] == [tf.float32, tf.bfloat16, tf.float32, tf.float32]
    for got, wanted in zip(rounded, exact, strict=True):
        np.testing.assert_allclose(tf.cast(got, tf.float32), wanted, rtol=0.02, atol=0.03)


def test_a_target_that_is_next_to_impossible_has_a_finite_loss_and_the_whole_gradient() -> None:
    # scores 0 and 200: the first item's probability, e^-200, is 0 in float32, whose least one is e^-87.3
    bias = tf.constant([0.0, 200.0])
    with tf.GradientTape() as tape:
        tape.watch(bias)
        loss = cross_entropy(tf.zeros((1, 3)), tf.zeros((2, 3)), bias, tf.constant([0]))
    assert float(loss) == pytest.approx(126 * math.log(2), rel=1e-5)
    assert tape.gradient(loss, bias).numpy().tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_shows_in_the_gradient(score: float) -> None:
    bias = tf.constant([0.0, score, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(bias)
        loss = cross_entropy(tf.zeros((1, 3)), tf.zeros((3, 3)), bias, tf.constant([0]))
    assert np.isnan(tape.gradient(loss, bias).numpy()).any()


def test_a_drawn_item_stands_for_as_many_as_its_logq_says() -> None:
    # the docstring's: 2 of the target, 1 / .5 of the drawn one; a draw that is the target is left out
    model = scoring(math.log(2), 0.0)
    expected = tf.math.log([0.5])
    total = sampled_softmax(model, vectors(1), tf.constant([1]), tf.constant([2]), expected)
    assert float(total) == pytest.approx(math.log(4) - math.log(2), abs=1e-5)
    itself = sampled_softmax(model, vectors(1), tf.constant([1]), tf.constant([1]), expected)
    assert float(itself) == pytest.approx(0, abs=1e-5)


def test_with_every_item_drawn_once_the_sampled_softmax_is_the_full_one() -> None:
    model = scoring(0.3, -1.0, 2.0, 0.7)
    targets = tf.constant([3, 2])
    sampled = sampled_softmax(model, vectors(2), targets, tf.range(1, 5), tf.zeros(4))
    assert float(sampled) == pytest.approx(float(smoothed(model, vectors(2), targets, 0.0)), abs=1e-5)


def test_over_many_draws_the_estimated_sum_is_that_of_all_items() -> None:
    scores = np.array([0.3, -1.0, 2.0, 0.7, 1.5])
    model, negatives = scoring(*scores), Negatives(np.array([0, 50, 1, 3, 9, 20]), 0.75, 100_000)
    drawn = negatives.draw()
    loss = sampled_softmax(model, vectors(1), tf.constant([2]), drawn, negatives.log_expected(drawn))
    assert float(loss) == pytest.approx(np.log(np.exp(scores).sum()) + 1.0, abs=0.02)


def test_the_target_must_beat_the_drawn_items_that_score_high() -> None:
    # the docstring's: w = (1/4, 3/4), s = (1/2, 1/4)
    model = scoring(0.0, 0.0, math.log(3))
    drawn = tf.constant([2, 3])
    total = bpr_max(model, vectors(1), tf.constant([1]), drawn, penalty=0.5)
    assert float(total) == pytest.approx(-math.log(5 / 16) + 0.5 * 3 / 4 * math.log(3) ** 2, abs=1e-5)
    # the target among the draws: item 3 alone is left, w = 1, s = 1/4
    total = bpr_max(model, vectors(1), tf.constant([1]), tf.constant([1, 3]), penalty=0.5)
    assert float(total) == pytest.approx(math.log(4) + 0.5 * math.log(3) ** 2, abs=1e-5)


def test_items_are_drawn_by_popularity_to_a_power_and_padding_never() -> None:
    # counts 16, 4, 0 (drawn as 1) to the power 1/2: weights 4, 2, 1
    tf.random.set_seed(3)
    negatives = Negatives(np.array([99, 16, 4, 0]), 0.5, 70_000)
    drawn = np.bincount(negatives.draw().numpy(), minlength=4)
    np.testing.assert_allclose(drawn, [0, 40_000, 20_000, 10_000], rtol=0.03)
    np.testing.assert_allclose(
        np.exp(negatives.log_expected(tf.constant([1, 2, 3]))), [40_000, 20_000, 10_000], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("loss", "n_items", "wanted"),
    [("auto", 1000, "full"), ("auto", 1001, "sampled"), ("bpr_max", 5, "bpr_max"), ("full", 9999, "full")],
)
def test_auto_samples_once_the_catalogue_is_larger_than_its_limit(
    loss: str, n_items: int, wanted: str
) -> None:
    assert chosen_loss(training_config(loss=loss, full_up_to_items=1000), n_items) == wanted
