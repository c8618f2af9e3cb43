"""The model with its optimizer: its steps, epochs and validations, each over all ranks at once."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmrec.errors import Diverged
from lstmrec.learn import distributed
from lstmrec.learn.averaging import WeightAverage, window
from lstmrec.learn.feed import SIGNATURE, Feed
from lstmrec.learn.losses import Loss, next_item_loss
from lstmrec.learn.model import LastState, NextItemModel
from lstmrec.learn.optimizer import adamw
from lstmrec.learn.touched_rows import TouchedRows
from lstmrec.learn.validation import hit_and_gain, ranks_of_targets
from lstmrec.recipe import TrainingConfig

STEPS_AT_A_TIME: Final = 64
"""Steps asked for before their losses are read: a GPU need not wait, and a broken run ends soon."""

Values = npt.NDArray[np.float64]


class Learnt(NamedTuple):
    """What an epoch of steps gave, over all ranks."""

    loss: float
    events: float
    seconds: float


class Ranked(NamedTuple):
    """How held-out items rank, mean over rows."""

    loss: float
    accuracy: float
    hit_rate_at_10: float
    ndcg_at_10: float


class Trainer:
    """A model that learns; each of its steps is traced once."""

    def __init__(
        self, model: NextItemModel, config: TrainingConfig, loss: Loss, steps_per_epoch: int
    ) -> None:
        self.model = model
        self.config = config
        self.loss = loss
        table = model.item_table.embeddings
        self._rows = [TouchedRows(table.value, config, steps_per_epoch)] if loss.draws else []
        self._weights = [w for w in model.trainable_variables if w is not table or not loss.draws]
        self._optimizer = adamw(self._weights, config, steps_per_epoch)
        self._average = WeightAverage(self._weights, window(config, steps_per_epoch))
        self._last = LastState()

    @property
    def state(self) -> list[Any]:
        """All that its next steps follow from, alike on all ranks."""
        of_rows = [variable for rows in self._rows for variable in rows.variables]
        return [*self.model.weights, *self._optimizer.variables, *self._average.variables, *of_rows]

    @property
    def seeds(self) -> list[Any]:
        """Where it is in its random numbers, of which each rank has its own."""
        weights = {id(weight) for weight in self.model.weights}
        of_dropout = [variable for variable in self.model.variables if id(variable) not in weights]
        return [*of_dropout, *self.loss.seeds]

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the model's weights are their running average."""
        with ExitStack() as averages:
            averages.enter_context(self._average.in_place())
            for rows in self._rows:
                averages.enter_context(rows.in_place())
            yield

    def learn(self, training: Feed, epoch: int) -> Learnt:
        """Take the steps of an epoch.

        Raises
        ------
        Diverged
            On all ranks, where a loss or a gradient is not finite.
        """
        began = time.perf_counter()
        batches = training.epoch(epoch)
        blocks: list[Values] = []
        while block := [self.step(*batch) for batch in islice(batches, STEPS_AT_A_TIME)]:
            blocks.append(_values(block))
            _require_finite(blocks[-1], epoch, (len(blocks) - 1) * STEPS_AT_A_TIME, training.steps)
        loss, events, _ = np.concatenate(blocks).sum(axis=0)
        return Learnt(loss / max(events, 1.0), events, time.perf_counter() - began)

    def validate(self, batches: Iterable[tuple[Any, ...]]) -> Ranked:
        """How the model ranks the targets of the batches of all ranks."""
        mine = _values([self.rank(*batch) for batch in batches]).sum(axis=0)
        *sums, rows = (float(value) for value in distributed.sum_over_ranks([tf.constant(mine)])[0])
        return Ranked(*(total / rows for total in sums))

    @tf.function(input_signature=SIGNATURE, reduce_retracing=True)
    def step(self, items: Any, types: Any, gaps: Any, length: Any, target: Any) -> Any:
        """One step: the sum of losses, their count, and the norm of the gradient.

        Losses and gradients are summed over ranks and divided by the count of all, so ranks of a part
        of a batch take the step of one process with all of it.
        """
        tables = [rows.table for rows in self._rows]
        with tf.GradientTape() as tape:
            with self.model.computing_in(self.config.precision):
                states = self.model(items, types, gaps, training=True)
            loss, count = next_item_loss(self.model, items, states, length, self.loss)
        gradients, of_rows = tape.gradient(loss, [self._weights, tables])
        gradients = distributed.sum_over_ranks(gradients, self.config.compression)
        of_rows = [distributed.sum_rows(gradient, self.config.compression) for gradient in of_rows]
        loss, count = distributed.sum_over_ranks([loss, count])
        means = [sums / tf.maximum(count, 1.0) for sums in [*gradients, *(rows.values for rows in of_rows)]]
        means, norm = tf.clip_by_global_norm(means, self.config.gradient_clip)
        self._optimizer.apply(means[: len(gradients)], self._weights)
        self._average.update()
        for rows, gradient, values in zip(self._rows, of_rows, means[len(gradients) :], strict=True):
            rows.apply(tf.IndexedSlices(values, gradient.indices))
        return tf.stack([loss, count, norm])

    @tf.function(input_signature=SIGNATURE, reduce_retracing=True)
    def rank(self, items: Any, types: Any, gaps: Any, length: Any, target: Any) -> Any:
        """Sums of what Ranked has over this rank's rows, and their number; an empty row counts nowhere."""
        vectors = self._last(self.model(items, types, gaps, training=False), length)
        left_out = items if self.config.seen_items == "left_out" else tf.zeros_like(items)
        logits = self.model.logits(vectors)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
        ranks = tf.boolean_mask(ranks_of_targets(logits, left_out, target), length > 0)
        hits, gains = hit_and_gain(ranks)
        firsts = tf.reduce_sum(tf.cast(ranks == 1, tf.float32))
        loss = tf.reduce_sum(tf.boolean_mask(losses, length > 0))
        return tf.stack([loss, firsts, hits, gains, tf.cast(tf.size(ranks), tf.float32)])


def _values(parts: list[Any]) -> Values:
    values: Values = np.stack([part.numpy() for part in parts]).astype(np.float64)
    return values


def _require_finite(steps: Values, epoch: int, before: int, of: int) -> None:
    broken = np.flatnonzero(~np.isfinite(steps).all(axis=1))
    if len(broken):
        loss, count, norm = steps[broken[0]]
        raise Diverged(
            f"training: epoch {epoch}, step {before + broken[0] + 1} of {of}: the loss is "
            f"{loss / max(count, 1):g}, the norm of the gradient {norm:g}; no model was written: lower "
            f"training.learning_rate or training.gradient_clip, or raise training.warmup_epochs"
        )
