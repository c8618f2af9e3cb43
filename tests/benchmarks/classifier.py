"""The binary classifier as a contender of leave-one-out: its figures, and its curves as a page."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmrec.learn import binary_classifier
from lstmrec.learn.binary_classifier import BinaryClassifier, Trained
from lstmrec.learn.model import LastState
from lstmrec.learn.spec import TrainingSpec
from lstmrec.prepare.splits import TEST, TRAIN, TRAIN_AND_VALIDATION, VALIDATION
from lstmrec.rank.scorers import HistoryBlock, Scores
from lstmrec.report.charts import Axis, Row, Series, lines
from lstmrec.report.page import render
from lstmrec.report.parts import Chart, Section
from tests.benchmarks.item_baselines import Ground

CURVES = (
    ("Accuracy", Axis("share of answers that are right", form=".0%"), ("accuracy", "validation_accuracy")),
    ("Loss", Axis("binary cross-entropy", unit="nats"), ("loss", "validation_loss")),
    ("Quality of ranking", Axis("NDCG at 10"), ("ndcg_at_10",)),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassifierScorer:
    """A classifier as a scorer of all items; it travels to executors as its weights."""

    n_items: int
    weights: Sequence[npt.NDArray[np.float32]]

    @cached_property
    def model(self) -> BinaryClassifier:
        model = binary_classifier.build(self.n_items)
        model.set_weights(self.weights)
        return model

    def scores(self, block: HistoryBlock) -> Scores:
        states = LastState()(self.model.states(block.items), block.length)
        scores: Scores = self.model.logits(states).numpy()
        return scores


def figures(ground: Ground, spec: TrainingSpec, seeds: Sequence[int]) -> dict[str, Any]:
    """Epochs by the first seed on the train split; then a classifier a seed, on train and validation.

    `history` has the epochs of the former.
    """

    def trained(seed: int, learn_from: str, epochs: int | None) -> Trained:
        training = spec.training.model_copy(update={"seed": seed, "learn_from": learn_from})
        made = binary_classifier.train(spec.model_copy(update={"training": training, "epochs": epochs}))
        log.info("binary classifier, seed %d: %s", seed, made.best)
        return made

    def ranks(split: str, made: Trained) -> dict[str, int]:
        return ground.ranks(split, ClassifierScorer(spec.n_items, made.model.get_weights()))

    chosen = trained(seeds[0], TRAIN, None)
    epochs = chosen.best.epoch
    validation = {seeds[0]: ranks(VALIDATION, chosen)}
    test = {seed: ranks(TEST, trained(seed, TRAIN_AND_VALIDATION, epochs)) for seed in seeds}
    told = ground.told({"epochs": epochs}, validation, test)
    return told | {"history": [epoch.model_dump() for epoch in chosen.history]}


def page(found: Mapping[str, Any]) -> str:
    """The curves of `figures`, as the product's reports draw theirs."""
    note = f"On the train split; validation NDCG@10 chose epoch {found['chosen']['epochs']}."
    charts = [_chart(title, up, fields, found["history"]) for title, up, fields in CURVES]
    tiles = {
        "test recall at 10": found["test"]["mean"]["recall@10"],
        "test NDCG at 10": found["test"]["mean"]["ndcg@10"],
    }
    return render("Binary classifier", {}, [Section("Curves", note, tiles, charts)])


def _chart(title: str, up: Axis, fields: Sequence[str], history: Sequence[Mapping[str, Any]]) -> Chart:
    names = {field: field.replace("_", " ") for field in fields}
    rows: list[Row] = [
        {"epoch": epoch["epoch"], up.field: epoch[field], "of": name}
        for field, name in names.items()
        for epoch in history
    ]
    spec = lines(rows, Axis("epoch", form="d"), up, Series("of", list(names.values())))
    return Chart(title, "Of training as it went, of validation at each epoch's end.", rows, spec)
