"""The training story: learn, validate, stop early, agree, write the artifact. Every rank runs it."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from lstmrec.errors import BadInput
from lstmrec.learn import checkpoint, curves, distributed, item_attributes
from lstmrec.learn.artifact import CHOSEN_WEIGHTS, WEIGHTS
from lstmrec.learn.checkpoint import Checkpoints, Progress
from lstmrec.learn.distributed import Ranks
from lstmrec.learn.export import export, read_item_ids
from lstmrec.learn.feed import Batch, Feed, Highest
from lstmrec.learn.item_attributes import ItemAttributes
from lstmrec.learn.losses import loss_of
from lstmrec.learn.model import NextItemModel, build
from lstmrec.learn.negatives import Counts
from lstmrec.learn.spec import DataFile, EpochRecord, TrainingResult, TrainingSpec
from lstmrec.learn.trainer import Learnt, Ranked, Trainer
from lstmrec.learn.validation import last_as_target
from lstmrec.learn.warm_start import take_over

log = logging.getLogger(__name__)

VALIDATION_ROWS = 256
"""Rows ranked together on a rank; a block of scores is this times the number of items."""

SAMPLE_BATCHES = 8
"""So many batches of training rows a rank are ranked after each epoch, for the training's accuracy."""


class Items(NamedTuple):
    """What is told of the items, by item index."""

    ids: Sequence[str]
    """"" at PAD; the chief alone has them."""
    attributes: ItemAttributes | None
    """None: the model is not to know them."""


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
    items = _items(spec, ranks)
    if spec.epochs is None:
        trained = _choose(spec, ranks, items)
        model = chosen = trained.model
        if spec.training.learn_from == "train_and_validation":
            model = _train_for(trained.best.epoch, spec, ranks, items).model
    else:
        trained = _train_for(spec.epochs, spec, ranks, items)
        model, chosen = trained.model, None

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
        export(model, spec, result, items.ids, chosen)
        checkpoint.remove(spec)
    return result


def choose(spec: TrainingSpec, watch: Callable[[EpochRecord], None]) -> EpochRecord:
    """The best epoch on the train split, in this process alone; no artifact.

    `watch` sees each epoch as it ends; what it raises ends the training.
    """
    ranks = distributed.start()
    tf.config.experimental.enable_op_determinism()
    return _choose(spec, ranks, _items(spec, ranks), watch).best


def _items(spec: TrainingSpec, ranks: Ranks) -> Items:
    ids = read_item_ids(spec.item_index, spec.n_items) if ranks.is_chief else []
    if not spec.model.use_item_attributes:
        return Items(ids, None)
    fields, day = spec.model.item_attributes, spec.record.run_date
    own = item_attributes.read(spec.items, day, fields, ids) if ranks.is_chief else None
    return Items(ids, distributed.from_chief(own))


def _choose(
    spec: TrainingSpec,
    ranks: Ranks,
    items: Items,
    watch: Callable[[EpochRecord], None] = lambda _: None,
) -> Trained:
    """The model at its best epoch on the train split."""
    began = time.perf_counter()
    training = _feed("train", spec.train, spec, ranks)
    validation, sample = _to_rank("validation", spec.validation, spec, ranks), _sample(spec, ranks)
    trainer = _trainer(spec, ranks, training, items, CHOSEN_WEIGHTS)
    checkpoints = Checkpoints(spec, "choose", ranks)
    progress = checkpoints.resume(trainer)
    while not distributed.from_chief(_is_over(progress, spec, time.perf_counter() - began)):
        number = len(progress.history) + 1
        learnt = trainer.learn(training, number)
        with trainer.averaged():
            ranked, known = trainer.validate(validation.epoch(0)), trainer.validate(sample)
            record = _record(number, learnt, ranked, known)
            progress.history.append(record)
            if progress.best is record:
                progress.best_weights = trainer.model.get_weights()
        checkpoints.keep(trainer, progress)
        if ranks.is_chief:
            curves.write(progress.history, spec, "choose")
            log.info("%s%s", _line(record), "  best" if record is progress.best else "")
        watch(record)
    trainer.model.set_weights(progress.best_weights)
    return Trained(trainer.model, progress.best, progress.history, training.steps)


def _is_over(progress: Progress, spec: TrainingSpec, seconds: float) -> bool:
    """Whether no epoch is to follow those of `progress`, `seconds` after the start."""
    epochs = len(progress.history)
    if not epochs:
        return False
    so_far, limits = progress.best, spec.limits
    behind = [(so_far.ndcg_at_10 or 0.0) < least for least in limits.least_ndcg_at_10[epochs - 1 : epochs]]
    late = limits.seconds is not None and seconds * (epochs + 1) / epochs > limits.seconds
    impatient = epochs - so_far.epoch >= spec.training.patience
    return epochs >= spec.training.max_epochs or impatient or any(behind) or late


def _train_for(epochs: int, spec: TrainingSpec, ranks: Ranks, items: Items) -> Trained:
    """A new model after so many epochs on the split that training.learn_from names."""
    split = spec.training.learn_from
    training = _feed(split, spec.train if split == "train" else spec.train_and_validation, spec, ranks)
    trainer = _trainer(spec, ranks, training, items, WEIGHTS)
    checkpoints = Checkpoints(spec, "final", ranks)
    progress = checkpoints.resume(trainer)
    for number in range(len(progress.history) + 1, epochs + 1):
        learnt = trainer.learn(training, number)
        progress.history.append(_record(number, learnt))
        checkpoints.keep(trainer, progress)
        if ranks.is_chief:
            curves.write(progress.history, spec, "final")
            log.info("final epoch %3d  loss %.4f  %.1f s", number, learnt.loss, learnt.seconds)
    with trainer.averaged():
        averaged = trainer.model.get_weights()
    trainer.model.set_weights(averaged)
    return Trained(trainer.model, progress.history[-1], progress.history, training.steps)


def _trainer(spec: TrainingSpec, ranks: Ranks, training: Feed, items: Items, weights: str) -> Trainer:
    """A model, the same on all ranks, with its optimizer: new, or begun with a file of the warm start's."""
    keras.utils.set_random_seed(spec.training.seed + ranks.rank)  # ranks drop out different positions
    count = cache(lambda: _count_items(training, spec.n_items))
    attributes = None if items.attributes is None else items.attributes.learnt_from(count())
    model = build(spec.n_items, spec.n_event_types, spec.model, attributes)
    if ranks.is_chief and spec.warm_start_uri is not None:
        take_over(model, spec, items.ids, weights)
    distributed.broadcast(model.weights)
    loss = loss_of(spec.training, spec.n_items, count)
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


def _to_rank(split: str, files: Sequence[DataFile], spec: TrainingSpec, ranks: Ranks) -> Feed:
    """Batches in the order of the files."""
    return Feed(_with_rows(split, files), ranks.rank, ranks.size, VALIDATION_ROWS, _highest(spec))


def _sample(spec: TrainingSpec, ranks: Ranks) -> list[Batch]:
    """The first training rows, to be ranked like those of validation: what is known of what was learnt."""
    first = _to_rank("train", spec.train, spec, ranks).batches(0)
    return [last_as_target(batch) for batch in islice(first, SAMPLE_BATCHES)]


def _with_rows(split: str, files: Sequence[DataFile]) -> Sequence[DataFile]:
    if not sum(file.rows for file in files):
        raise BadInput(f"sequences: split {split} has no rows; check the log, and sequences.min_length")
    return files


def _highest(spec: TrainingSpec) -> Highest:
    return Highest(spec.n_items, spec.n_event_types)


def _record(
    epoch: int, learnt: Learnt, ranked: Ranked | None = None, known: Ranked | None = None
) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        loss=learnt.loss,
        accuracy=known and known.accuracy,
        validation_loss=ranked and ranked.loss,
        validation_accuracy=ranked and ranked.accuracy,
        ndcg_at_10=ranked and ranked.ndcg_at_10,
        hit_rate_at_10=ranked and ranked.hit_rate_at_10,
        seconds=learnt.seconds,
        events_per_second=learnt.events / learnt.seconds,
    )


def _line(record: EpochRecord) -> str:
    return (
        f"epoch {record.epoch:3d}  loss {record.loss:.4f}"
        f"  validation NDCG@10 {record.ndcg_at_10:.4f}  HR@10 {record.hit_rate_at_10:.4f}"
        f"  {record.seconds:.1f} s  {record.events_per_second:,.0f} events/s"
    )
