import numpy as np
import pytest
import tensorflow as tf

from lstmrec.learn.item_attributes import numbered
from lstmrec.learn.model import LastState, NextItemModel, build
from tests.learn.tables import model_config


@pytest.fixture(scope="module")
def model() -> NextItemModel:
    return build(30, 2, model_config(layers=2))


def states(model: NextItemModel, items: list[list[int]], types: int = 1, gaps: int = 5) -> np.ndarray:
    given = tf.constant(items)
    return model(given, tf.fill(given.shape, types), tf.fill(given.shape, gaps)).numpy()


def test_a_position_sees_none_to_its_right(model: NextItemModel) -> None:
    one, other = states(model, [[4, 9, 2, 7]]), states(model, [[4, 9, 5, 1]])
    np.testing.assert_allclose(one[:, :2], other[:, :2], atol=1e-6)
    assert not np.allclose(one[:, 2], other[:, 2])


def test_event_types_and_gaps_matter_only_where_they_are_asked_for(model: NextItemModel) -> None:
    history = [[4, 9, 2]]
    assert not np.allclose(states(model, history), states(model, history, types=2))
    assert not np.allclose(states(model, history), states(model, history, gaps=6))
    items_alone = build(30, 2, model_config(use_event_types=False, use_gaps=False))
    np.testing.assert_array_equal(states(items_alone, history), states(items_alone, history, types=2, gaps=6))


def test_a_step_in_16_bits_leaves_weights_and_what_is_outside_of_it_in_float32(model: NextItemModel) -> None:
    before = states(model, [[4, 9, 2]])
    with model.computing_in("mixed_bfloat16"):
        within = model(tf.constant([[4, 9, 2]]), tf.ones((1, 3), tf.int32), tf.ones((1, 3), tf.int32))
    assert within.dtype == tf.bfloat16
    assert {weight.dtype for weight in model.weights} == {"float32"}
    after = states(model, [[4, 9, 2]])
    assert after.dtype == np.float32
    assert np.array_equal(before, after)


def test_the_last_state_is_that_of_the_last_real_position() -> None:
    steps = tf.reshape(tf.range(12.0), (2, 3, 2))
    assert LastState()(steps, tf.constant([2, 3])).numpy().tolist() == [[2, 3], [10, 11]]


def test_the_item_table_is_input_and_output(model: NextItemModel) -> None:
    vectors = tf.random.normal((5, 16))
    wanted = vectors.numpy() @ model.item_table.embeddings.numpy().T
    np.testing.assert_allclose(model.logits(vectors)[:, 1:], wanted[:, 1:], rtol=1e-4, atol=1e-5)


def test_padding_has_no_probability(model: NextItemModel) -> None:
    assert float(tf.nn.softmax(model.logits(tf.random.normal((3, 16))))[:, 0].numpy().max()) == 0


@pytest.fixture
def told() -> NextItemModel:
    """Item 1 has the attribute a, item 2 has a and b, item 3 has none; 4 has b and is not learnt from."""
    attributes = numbered({1: {"a"}, 2: {"a", "b"}, 4: {"b"}}, 5).learnt_from(np.array([0, 9, 9, 9, 0]))
    model = build(4, 1, model_config(width=2, use_item_attributes=True), attributes)
    model.item_table.embeddings.assign([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]])
    model.attribute_mean.rows.embeddings.assign([[70, 70], [10, 20], [30, 60]])  # of none, a, b
    return model


COMPOSED = [[0, 0], [1 + 10, 20], [2 + 20, 40], [3, 0], [30, 60]]


def test_an_items_vector_is_its_own_row_plus_the_mean_of_its_attributes(told: NextItemModel) -> None:
    np.testing.assert_array_equal(told.table(), COMPOSED)
    items = np.array([[4, 0], [2, 2]])
    np.testing.assert_array_equal(told.vectors_of(items), np.array(COMPOSED)[items])


def test_attributes_are_in_every_score(told: NextItemModel) -> None:
    told.item_bias.assign([0.0, 0.1, 0.2, 0.3, 0.4])
    vectors = np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)
    wanted = vectors @ np.transpose(COMPOSED) + [0.0, 0.1, 0.2, 0.3, 0.4]
    np.testing.assert_allclose(told.logits(vectors)[:, 1:], wanted[:, 1:], rtol=1e-6)
    np.testing.assert_allclose(
        told.logit_of(vectors, tf.constant([4, 2])), [wanted[0, 4], wanted[1, 2]], rtol=1e-6
    )
    np.testing.assert_allclose(told.mean_logit(vectors), wanted[:, 1:].mean(axis=1), rtol=1e-6)


def test_items_of_equal_vectors_are_the_same_input(told: NextItemModel) -> None:
    rows = [[0, 0], [12, 20], [2, 0], [3, 0], [4, 0]]  # item 1: (12 + 10, 20 + 20), as item 2
    told.item_table.embeddings.assign(rows)
    np.testing.assert_array_equal(states(told, [[1, 3]]), states(told, [[2, 3]]))
    assert not np.allclose(states(told, [[1, 3]]), states(told, [[3, 3]]))
