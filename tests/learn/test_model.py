import numpy as np
import pytest
import tensorflow as tf

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
