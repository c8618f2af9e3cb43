"""The training story: feed, step, validate, stop early, agree, write the artifact. Every rank runs it."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmrec.errors import BadInput, LstmrecError
from lstmrec.learn import distributed
from lstmrec.learn.averaging import WeightAverage
from lstmrec.learn.distributed import Ranks
from lstmrec.learn.export import export, read_item_ids
from lstmrec.learn.feed import SIGNATURE, Feed, Highest
from lstmrec.learn.losses import Loss, loss_of, next_item_loss
from lstmrec.learn.model import LastState, NextItemModel, build
from lstmrec.learn.negatives import Counts
from lstmrec.learn.optimizer import adamw
from lstmrec.learn.spec import DataFile, EpochRecord, TrainingResult, TrainingSpec
from lstmrec.learn.validation import hit_and_gain, ranks_of_targets
from lstmrec.recipe import TrainingConfig

log = logging.getLogger(__name__)

VALIDATION_ROWS = 256
"""Rows ranked together on a rank; a block of scores is this times the number of items."""


@dataclass(frozen=True)
class Trained:
    """A model and how it came about; `best` is the epoch that it stopped at."""

    model: NextItemModel
    best: EpochRecord
    history: list[EpochRecord]
    steps_per_epoch: int


def fit(spec: TrainingSpec) -> TrainingResult:
    """Train the model of `spec`; the chief writes its artifact. Equal spec and ranks give equal weights."""
    began = time.perf_counter()
    ranks = distributed.start()
    tf.config.experimental.enable_op_determinism()

    # read first: a broken index shows before the training, not after it
    item_ids = read_item_ids(spec.item_index, spec.n_items) if ranks.is_chief else []
    if spec.epochs is None:
        trained = _choose(spec, ranks)
        model = trained.model
        if spec.training.learn_from == "train_and_validation":
            model = _train_for(trained.best.epoch, spec, ranks).model
    else:
        trained = _train_for(spec.epochs, spec, ranks)
        model = trained.model

    distributed.require_agreement(model.weights)
    result = TrainingResult(
        artifact_uri=spec.artifact_uri,
        processes=ranks.size,
        steps_per_epoch=trained.steps_per_epoch,
        best=trained.best,
        history=tuple(trained.history),
        seconds=time.perf_counter() - began,
    )
    if ranks.is_chief:
        export(model, spec, result, item_ids)
    return result


def _choose(spec: TrainingSpec, ranks: Ranks) -> Trained:
    """The model at its best epoch on the train split."""
    training = _feed("train", spec.train, spec, ranks)
    validation = Feed(
        _with_rows("validation", spec.validation), ranks.rank, ranks.size, VALIDATION_ROWS, _highest(spec)
    )
    trainer = _trainer(spec, ranks, training)
    history: list[EpochRecord] = []
    best, best_weights, most = None, trainer.model.get_weights(), -1.0
    for number in range(1, spec.training.max_epochs + 1):
        loss, events, seconds = _learn(trainer, training, number)
        with trainer.average.in_place():
            hits, gains = _validate(trainer, validation)
            record = _record(number, loss, events, seconds, hits, gains)
            if best is None or gains > most:  # the first of equals
                best, best_weights, most = record, trainer.model.get_weights(), gains
        history.append(record)
        if ranks.is_chief:
            log.info("%s%s", _line(record, hits, gains), "  best" if record is best else "")
        if record.epoch - best.epoch >= spec.training.patience:
            break
    if best is None:
        raise BadInput("training.max_epochs: no epoch was trained; raise it")
    trainer.model.set_weights(best_weights)
    return Trained(trainer.model, best, history, training.steps)


def _train_for(epochs: int, spec: TrainingSpec, ranks: Ranks) -> Trained:
    """A new model after so many epochs on the split that training.learn_from names."""
    split = spec.training.learn_from
    training = _feed(split, spec.train if split == "train" else spec.train_and_validation, spec, ranks)
    trainer = _trainer(spec, ranks, training)
    history = []
    for number in range(1, epochs + 1):
        loss, events, seconds = _learn(trainer, training, number)
        history.append(_record(number, loss, events, seconds, None, None))
        if ranks.is_chief:
            log.info("final epoch %3d  loss %.4f  %.1f s", number, loss, seconds)
    with trainer.average.in_place():
        averaged = trainer.model.get_weights()
    trainer.model.set_weights(averaged)
    return Trained(trainer.model, history[-1], history, training.steps)


class Trainer:
    """The model with its optimizer, and the compiled steps; each is traced once."""

    def __init__(
        self, model: NextItemModel, config: TrainingConfig, loss: Loss, steps_per_epoch: int
    ) -> None:
        self.model = model
        self.config = config
        self.loss = loss
        self.optimizer = adamw(model, config, steps_per_epoch)
        self.average = WeightAverage(
            model.trainable_variables, round(config.average_epochs * steps_per_epoch)
        )
        self._last = LastState()

    @tf.function(input_signature=SIGNATURE, reduce_retracing=True)
    def step(self, items: Any, types: Any, gaps: Any, length: Any, target: Any) -> Any:
        """One step on this rank's rows and all other ranks' at once; the sum of losses and its count.

        Losses and gradients are summed over ranks and divided by the count of all, so ranks of a part
        of a batch take the step of one process with all of it.
        """
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            states = self.model(items, types, gaps, training=True)
            loss, count = next_item_loss(self.model, items, states, length, self.loss)
        gradients = tape.gradient(loss, weights)
        *gradients, loss, count = distributed.sum_over_ranks([*gradients, loss, count])
        gradients = [gradient / tf.maximum(count, 1.0) for gradient in gradients]
        gradients, _ = tf.clip_by_global_norm(gradients, self.config.gradient_clip)
        self.optimizer.apply(gradients, weights)
        self.average.update()
        return tf.stack([loss, count])

    @tf.function(input_signature=SIGNATURE, reduce_retracing=True)
    def validate(self, items: Any, types: Any, gaps: Any, length: Any, target: Any) -> Any:
        """Hits, gains and rows of this rank's batch; a row without a position counts nowhere."""
        vectors = self._last(self.model(items, types, gaps, training=False), length)
        left_out = items if self.config.seen_items == "left_out" else tf.zeros_like(items)
        ranks = ranks_of_targets(self.model.logits(vectors), left_out, target)
        hits, gains = hit_and_gain(tf.boolean_mask(ranks, length > 0))
        return tf.stack([hits, gains, tf.reduce_sum(tf.cast(length > 0, tf.float32))])


def _trainer(spec: TrainingSpec, ranks: Ranks, training: Feed) -> Trainer:
    """A new model, the same on all ranks, with its optimizer."""
    keras.utils.set_random_seed(spec.training.seed + ranks.rank)  # ranks drop out different positions
    model = build(spec.n_items, spec.n_event_types, spec.model)
    distributed.broadcast(model.weights)
    loss = loss_of(spec.training, spec.n_items, lambda: _count_items(training, spec.n_items))
    return Trainer(model, spec.training, loss, training.steps)


def _count_items(training: Feed, n_items: int) -> Counts:
    """How often each item comes in an epoch over all ranks, by item index."""
    counts = np.zeros(n_items + 1, np.int64)
    for batch in training.batches(0):
        counts += np.bincount(batch.items.ravel(), minlength=n_items + 1)
    summed: Counts = distributed.sum_over_ranks([tf.constant(counts)])[0].numpy()
    return summed


def _feed(split: str, files: Sequence[DataFile], spec: TrainingSpec, ranks: Ranks) -> Feed:
    """Shuffled batches to learn from."""
    rows = spec.training.batch_size // ranks.size
    known = _with_rows(split, files)
    return Feed(known, ranks.rank, ranks.size, rows, _highest(spec), seed=spec.training.seed)


def _with_rows(split: str, files: Sequence[DataFile]) -> Sequence[DataFile]:
    if not sum(file.rows for file in files):
        raise BadInput(f"sequences: split {split} has no rows; check the log, and sequences.min_length")
    return files


def _highest(spec: TrainingSpec) -> Highest:
    return Highest(spec.n_items, spec.n_event_types)


def _learn(trainer: Trainer, training: Feed, number: int) -> tuple[float, float, float]:
    """An epoch of steps: mean loss, events learnt from, seconds; over all ranks."""
    began = time.perf_counter()
    loss, events = _total(trainer.step(*batch) for batch in training.epoch(number))  # over ranks already
    if not math.isfinite(loss):
        raise LstmrecError(
            f"training: the loss is not finite in epoch {number}; lower training.learning_rate"
        )
    return loss / max(events, 1.0), events, time.perf_counter() - began


def _record(
    epoch: int, loss: float, events: float, seconds: float, hits: float | None, gains: float | None
) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        loss=loss,
        ndcg_at_10=gains,
        hit_rate_at_10=hits,
        seconds=seconds,
        events_per_second=events / seconds,
    )


def _validate(trainer: Trainer, validation: Feed) -> tuple[float, float]:
    """Mean hit@10 and NDCG@10 over the validation rows of all ranks."""
    shares = _total(trainer.validate(*batch) for batch in validation.epoch(0))
    hits, gains, rows = (float(value) for value in distributed.sum_over_ranks([tf.constant(shares)])[0])
    return hits / rows, gains / rows


def _total(parts: Iterator[Any]) -> npt.NDArray[np.float64]:
    started = list(parts)  # a GPU works on while the next step is asked for
    total: npt.NDArray[np.float64] = np.sum([part.numpy() for part in started], axis=0, dtype=np.float64)
    return total


def _line(record: EpochRecord, hits: float, gains: float) -> str:
    return (
        f"epoch {record.epoch:3d}  loss {record.loss:.4f}  validation NDCG@10 {gains:.4f}  HR@10 {hits:.4f}"
        f"  {record.seconds:.1f} s  {record.events_per_second:,.0f} events/s"
    )
