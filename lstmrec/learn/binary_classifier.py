"""The plainest LSTM, a baseline: does this item come next, yes or no. Embedding, LSTM, Dense, sigmoid.

A history and a candidate go in, the probability that the candidate comes next comes out. By binary
cross-entropy it learns from each position of the training rows: what did come next is labelled 1, an item
drawn from all others alike 0. Accuracy is the share of both on the right side of 1/2; chance makes .5.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from lstmrec.columns import PAD
from lstmrec.learn import curves
from lstmrec.learn.artifact import Ints
from lstmrec.learn.feed import Batch, Feed, Highest
from lstmrec.learn.model import LastState
from lstmrec.learn.spec import DataFile, EpochRecord, TrainingSpec
from lstmrec.learn.validation import hit_and_gain, ranks_of_targets
from lstmrec.recipe import TrainingConfig

WIDTH: Final = 64
UNITS: Final = 128
HIDDEN: Final = 64
RANKED_ROWS: Final = 256

BY_POSITION: Final = tf.TensorSpec((None, None), tf.int32)
BY_ROW: Final = tf.TensorSpec((None,), tf.int32)


class BinaryClassifier(keras.Model):
    """Probabilities, sigmoid(w . relu(W [state, item] + b) + v), of candidates after histories.

    W takes state and item apart, W_s state + b and W_i item. So a history's part is made once and an item's
    part once, and to rank all items for all histories is no more than to add the two.
    """

    def __init__(self, n_items: int) -> None:
        super().__init__(name="binary_classifier")
        self.item_table = keras.layers.Embedding(n_items + 1, WIDTH)
        self.recurrence = keras.layers.LSTM(UNITS, return_sequences=True)
        self.of_state = keras.layers.Dense(HIDDEN)
        self.of_item = keras.layers.Dense(HIDDEN, use_bias=False)
        self.verdict = keras.layers.Dense(1)

    def call(self, items: Any, candidates: Any) -> Any:
        """The probability that each position's candidate comes next; both [rows, length]."""
        return tf.sigmoid(self.logit_of(self.states(items), candidates))

    def states(self, items: Any) -> Any:
        """[rows, length] -> [rows, length, HIDDEN]: W_s state + b at each position."""
        return self.of_state(self.recurrence(self.item_table(items)))

    def logit_of(self, states: Any, items: Any) -> Any:
        """The score of one item a state, above 0 where the answer is yes."""
        return self._verdict(states, self.of_item(self.item_table(items)))

    def logits(self, states: Any) -> Any:
        """[rows, HIDDEN] -> [rows, n_items + 1]: a score an item index, in the order of the probabilities."""
        items = self.of_item(self.item_table.embeddings)
        return tf.map_fn(lambda state: self._verdict(state, items), states)  # a row's fit the cache

    def _verdict(self, states: Any, items: Any) -> Any:
        return self.verdict(tf.nn.relu(states + items))[..., 0]


def build(n_items: int) -> BinaryClassifier:
    """A new model with its weights made; they follow Keras's random seed."""
    model = BinaryClassifier(n_items)
    one = tf.ones((1, 1), tf.int32)
    model(one, one)
    return model


def next_items(batch: Batch) -> Ints:
    """What came after each position; PAD where nothing did, or it is not to be asked.

    Items 5, 6, 7 give 6, 7, PAD. With the target 8, which a training row lacks, they give PAD, PAD, 8: of a
    held-out item's row that item alone is asked for.
    """
    after = np.zeros_like(batch.items)
    after[:, :-1] = np.where(batch.target[:, None] > 0, PAD, batch.items[:, 1:])
    after[np.arange(len(after)), np.maximum(batch.length - 1, 0)] += batch.target
    return after


def others(items: Ints, n_items: int, rng: np.random.Generator) -> Ints:
    """An item in place of each, any but itself, all as likely."""
    steps = rng.integers(1, n_items, items.shape, np.int32)
    return (items - 1 + steps) % n_items + 1


def answers(model: BinaryClassifier, items: Any, after: Any, drawn: Any) -> Any:
    """Over all that is asked: sum of the binary cross-entropy, number of right answers, number of answers."""
    asked = tf.where(after != PAD)
    states = tf.gather_nd(model.states(items), asked)
    logits = [model.logit_of(states, tf.gather_nd(named, asked)) for named in (after, drawn)]
    labels = [tf.ones_like(logits[0]), tf.zeros_like(logits[1])]
    given, wanted = tf.concat(logits, axis=0), tf.concat(labels, axis=0)
    loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(wanted, given))
    right = tf.reduce_sum(tf.cast((given > 0) == (wanted > 0), tf.float32))
    return tf.stack([loss, right, tf.cast(tf.size(given), tf.float32)])


@dataclass(frozen=True)
class Trained:
    """A classifier and how each epoch went; it has the weights of `best`."""

    model: BinaryClassifier
    best: EpochRecord
    history: list[EpochRecord]


def train(spec: TrainingSpec) -> Trained:
    """A classifier by the data, epochs, patience, batch size, rate and seed of `spec`, in this process.

    Where `spec` leaves the epochs open, the best one by validation NDCG@10 on the train split; else so many
    on the split that training.learn_from names. Curves go to TensorBoard's folder, as `classifier`.
    """
    training = spec.training
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(training.seed)
    learner = _Learner(spec.n_items, training)
    on_both = spec.epochs is not None and training.learn_from == "train_and_validation"
    files = spec.train_and_validation if on_both else spec.train
    learnt_from = _feed(files, training.batch_size, spec, training.seed)
    validation = _feed(spec.validation, RANKED_ROWS, spec) if spec.epochs is None else None
    history: list[EpochRecord] = []
    for number in range(1, (spec.epochs or training.max_epochs) + 1):
        history.append(learner.epoch(number, learnt_from, validation))
        curves.write(history, spec, "classifier")
        best = max(history, key=_merit)
        if best is history[-1]:
            weights = learner.model.get_weights()
        elif number - best.epoch >= training.patience:
            break
    learner.model.set_weights(weights)
    return Trained(learner.model, best, history)


class _Learner:
    """A classifier with its optimizer; each of its steps is traced once."""

    def __init__(self, n_items: int, config: TrainingConfig) -> None:
        self.model = build(n_items)
        self._optimizer = keras.optimizers.Adam(config.learning_rate)
        self._optimizer.build(self.model.trainable_variables)
        self._seed = config.seed
        self._n_items = n_items
        self._last = LastState()

    def epoch(self, number: int, training: Feed, validation: Feed | None) -> EpochRecord:
        """Learn from all rows once; then answer for those of validation, and rank their targets."""
        began = time.perf_counter()
        rng = np.random.default_rng([self._seed, number])
        loss, accuracy, count = self._means(self.learn, training.batches(number), rng)
        seconds = time.perf_counter() - began
        learnt = EpochRecord(
            epoch=number, loss=loss, accuracy=accuracy, ndcg_at_10=None, hit_rate_at_10=None,
            seconds=seconds, events_per_second=count / 2 / seconds,
        )  # fmt: skip
        if validation is None:
            return learnt
        held_out = list(validation.batches(0))
        loss, accuracy, _ = self._means(self.answer, held_out, np.random.default_rng(self._seed))
        ranked = [self.rank(batch.items, batch.length, batch.target).numpy() for batch in held_out]
        hit_rate, ndcg = (np.sum(ranked, axis=0) / validation.rows).tolist()
        told = {"validation_loss": loss, "validation_accuracy": accuracy}
        return learnt.model_copy(update=told | {"ndcg_at_10": ndcg, "hit_rate_at_10": hit_rate})

    def _means(
        self, take: Callable[..., Any], batches: Iterable[Batch], rng: np.random.Generator
    ) -> tuple[float, float, float]:
        """Mean loss, share of right answers, number of answers."""
        sums = np.zeros(3)
        for batch in batches:
            after = next_items(batch)
            sums += take(batch.items, after, others(after, self._n_items, rng)).numpy()
        loss, right, count = sums.tolist()
        return loss / count, right / count, count

    @tf.function(input_signature=[BY_POSITION] * 3)
    def learn(self, items: Any, after: Any, drawn: Any) -> Any:
        """A step of the optimizer; what the answers were before it."""
        with tf.GradientTape() as tape:
            sums = answers(self.model, items, after, drawn)
            loss = sums[0] / tf.maximum(sums[2], 1.0)
        weights = self.model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, weights), weights)
        return sums

    @tf.function(input_signature=[BY_POSITION] * 3)
    def answer(self, items: Any, after: Any, drawn: Any) -> Any:
        return answers(self.model, items, after, drawn)

    @tf.function(input_signature=[BY_POSITION, BY_ROW, BY_ROW])
    def rank(self, items: Any, length: Any, target: Any) -> Any:
        """Sums of hits and gains at 10: each target among all items that its history lacks."""
        states = self._last(self.model.states(items), length)
        return tf.stack(hit_and_gain(ranks_of_targets(self.model.logits(states), items, target)))


def _feed(files: Sequence[DataFile], rows: int, spec: TrainingSpec, seed: int | None = None) -> Feed:
    return Feed(files, 0, 1, rows, Highest(spec.n_items, spec.n_event_types), seed=seed)


def _merit(epoch: EpochRecord) -> float:
    """What an epoch is chosen by: how it ranks, or, where nothing was ranked, that it is the last."""
    return epoch.epoch if epoch.ndcg_at_10 is None else epoch.ndcg_at_10
