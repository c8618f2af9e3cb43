"""The next-item model: a history of events in, a vector at each position out, items scored against it.

The recurrence is Keras's LSTM. With input x_t, state h_t, memory c_t, gates in (0, 1) by the logistic
function s, and * the product of elements:

    i_t = s(W_i x_t + U_i h_{t-1} + b_i)            input gate
    f_t = s(W_f x_t + U_f h_{t-1} + b_f)            forget gate
    o_t = s(W_o x_t + U_o h_{t-1} + b_o)            output gate
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)         candidate
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997: the memory cell with
its input and output gates. Gers, Schmidhuber and Cummins, "Learning to Forget", Neural Computation 12(10),
2000: the forget gate, whose bias starts at 1.

Histories are padded on the right, and a position sees none to its right: no mask is needed, and the vector
of a history is the one at its last real position, whatever the padded length.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstmrec.columns import GAP_BUCKETS, GAPS, ITEMS, LENGTH, PAD, TYPES
from lstmrec.learn.item_attributes import NONE, ItemAttributes
from lstmrec.recipe import ModelConfig

NEVER = -1e9
"""Logit of PAD: e to it is 0, and it stays finite in gradients."""


class NextItemModel(keras.Model):
    """`states = model(items, types, gaps)`, then `model.logits(states)`: the item table is input and output.

    An item's vector is its own row, plus the mean of its attributes' rows where the model is told of
    `attributes`. Each step of the stack adds to what came before it (residual) and is normalised after it.
    """

    def __init__(
        self, n_items: int, n_event_types: int, config: ModelConfig, attributes: ItemAttributes | None
    ) -> None:
        super().__init__(name="next_item")
        self.config = config
        self.width = config.width
        self.item_table = _embedding(n_items + 1, config.width, ITEMS)
        self.item_table.build()
        self.attribute_mean = AttributeMean(attributes, config.width) if attributes is not None else None
        self.type_table = (
            _embedding(n_event_types + 1, config.width, TYPES) if config.use_event_types else None
        )
        self.gap_table = _embedding(GAP_BUCKETS, config.width, GAPS) if config.use_gaps else None
        self.embedding_dropout = keras.layers.Dropout(config.embedding_dropout)
        self.embedding_norm = keras.layers.LayerNormalization()
        self.recurrences = [
            keras.layers.LSTM(config.width, return_sequences=True) for _ in range(config.layers)
        ]
        self.recurrence_norms = [keras.layers.LayerNormalization() for _ in range(config.layers)]
        self.widen = keras.layers.Dense(2 * config.width, activation="gelu")
        self.narrow = keras.layers.Dense(config.width)
        self.forward_norm = keras.layers.LayerNormalization()
        self.dropout = keras.layers.Dropout(config.dropout)
        self.item_bias = self.add_weight(shape=(n_items + 1,), initializer="zeros", name="item_bias")

    def call(self, items: Any, types: Any, gaps: Any, training: bool = False) -> Any:
        """[rows, length] indices -> [rows, length, width]."""
        state = self.vectors_of(items)
        if self.type_table is not None:
            state += self.type_table(types)
        if self.gap_table is not None:
            state += self.gap_table(gaps)
        state = self.embedding_norm(self.embedding_dropout(state, training=training))
        for recurrence, norm in zip(self.recurrences, self.recurrence_norms, strict=True):
            state = norm(state + self.dropout(recurrence(state), training=training))
        forward = self.narrow(self.widen(state))
        return self.forward_norm(state + self.dropout(forward, training=training))

    @contextmanager
    def computing_in(self, precision: str) -> Iterator[None]:
        """Within it the layers above the tables compute in `precision`, a dtype policy of Keras.

        Weights are float32 in any case, and so is what is traced or computed outside.
        """
        layers = [self.embedding_norm, *self.recurrences, *(each.cell for each in self.recurrences)]
        layers += [*self.recurrence_norms, self.widen, self.narrow, self.forward_norm, self.dropout]
        policies = [layer.dtype_policy for layer in layers]
        for layer in layers:
            layer.dtype_policy = keras.dtype_policies.get(precision)
        try:
            yield
        finally:
            for layer, policy in zip(layers, policies, strict=True):
                layer.dtype_policy = policy

    def vectors_of(self, items: Any) -> Any:
        """The vector of each item: indices of any shape -> [..., width]. It reads their rows alone."""
        own = tf.gather(self.item_table.embeddings.value, items)
        return own if self.attribute_mean is None else self.attribute_mean(own, items)

    def table(self) -> Any:
        """[n_items + 1, width]: a vector an item index."""
        own = tf.convert_to_tensor(self.item_table.embeddings)
        if self.attribute_mean is None:
            return own
        return self.attribute_mean(own, tf.range(tf.shape(own)[0]))

    def bias(self) -> Any:
        """[n_items + 1]: what an item scores by itself; PAD never wins."""
        bias = tf.convert_to_tensor(self.item_bias)
        return tf.concat([tf.constant([NEVER], bias.dtype), bias[PAD + 1 :]], axis=0)

    def logits(self, vectors: Any) -> Any:
        """[rows, width] -> [rows, n_items + 1]: a score an item index."""
        return tf.matmul(vectors, self.table(), transpose_b=True) + self.bias()

    def logit_of(self, vectors: Any, items: Any) -> Any:
        """The score of one item a row."""
        products = tf.cast(vectors, tf.float32) * self.vectors_of(items)
        return tf.reduce_sum(products, axis=-1) + tf.gather(self.bias(), items)

    def mean_logit(self, vectors: Any) -> Any:
        """The mean score of all items, PAD left out, a row: linear, so it costs one vector."""
        vector = tf.reduce_mean(self.table()[PAD + 1 :], axis=0)
        return tf.linalg.matvec(tf.cast(vectors, tf.float32), vector) + tf.reduce_mean(self.bias()[PAD + 1 :])


class AttributeMean(keras.layers.Layer):
    """An item's own row, where it has one, plus the mean of the rows of its attributes, if any."""

    def __init__(self, attributes: ItemAttributes, width: int) -> None:
        super().__init__(name="attribute_mean")
        self.names = attributes.names
        self.rows = _embedding(len(attributes.names), width, "attributes")
        is_one = attributes.of_items != NONE
        self._numbers = tf.constant(attributes.of_items)
        self._shares = tf.constant(is_one / np.maximum(is_one.sum(axis=1, keepdims=True), 1), tf.float32)
        self._has_row = tf.constant(attributes.has_row, tf.float32)

    def call(self, own: Any, items: Any) -> Any:
        """One attribute at a time: all at once would take as many times the memory of the result."""
        vectors = own * tf.gather(self._has_row, items)[..., tf.newaxis]
        numbers, shares = tf.gather(self._numbers, items), tf.gather(self._shares, items)
        for place in range(self._numbers.shape[1]):
            vectors += self.rows(numbers[..., place]) * shares[..., place, tf.newaxis]
        return vectors


class LastState(keras.layers.Layer):
    """The state at each row's last real position."""

    def call(self, states: Any, length: Any) -> Any:
        return tf.gather(states, tf.maximum(length - 1, 0), axis=1, batch_dims=1)

    def compute_output_shape(self, states_shape: Any, length_shape: Any) -> Any:
        return states_shape[0], states_shape[2]


def build(
    n_items: int, n_event_types: int, config: ModelConfig, attributes: ItemAttributes | None = None
) -> NextItemModel:
    """A new model with its weights made; they follow Keras's random seed."""
    model = NextItemModel(n_items, n_event_types, config, attributes)
    one_event = tf.ones((1, 2), tf.int32)
    model(one_event, one_event, one_event)
    return model


def encoder(model: NextItemModel) -> keras.Model:
    """(items, types, gaps, length) -> the vector of each history."""
    items, types, gaps = (keras.Input((None,), dtype="int32", name=name) for name in (ITEMS, TYPES, GAPS))
    length = keras.Input((), dtype="int32", name=LENGTH)
    return keras.Model([items, types, gaps, length], LastState()(model(items, types, gaps), length))


def _embedding(rows: int, width: int, name: str) -> keras.layers.Embedding:
    return keras.layers.Embedding(
        rows, width, embeddings_initializer=keras.initializers.RandomNormal(0, 0.05), name=name
    )
