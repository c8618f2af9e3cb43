"""Settings that a data set chooses for itself: a small, stated set of them, by validation NDCG@10 alone.

From START on, stage by stage: each variation of a stage is tried on the best settings so far, and the
better one goes on. A trial starts only while it would end in time, going by the longest so far.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lstmrec.config import Config
from lstmrec.learn.spec import TrainingResult

Settings = dict[str, float | bool]
"""Keys of conf's sections model and training -> values; events_a_step instead of training.batch_size."""

START: Final[Settings] = {
    "width": 192,
    "embedding_dropout": 0.5,
    "dropout": 0.2,
    "label_smoothing": 0.0,
    "later_items": 0.5,
    "learning_rate": 0.002,
    "events_a_step": 1500,
}
STAGES: Final[Sequence[Sequence[Settings]]] = (
    ({"width": 256, "embedding_dropout": 0.6, "dropout": 0.3}, {"width": 128, "embedding_dropout": 0.3}),
    ({"later_items": 0.0},),
    ({"label_smoothing": 0.1},),
    ({"learning_rate": 0.001},),
)
MOST_EPOCHS: Final = 40
PATIENCE: Final = 2
LEAST_ROWS_A_STEP: Final = 8


@dataclass(frozen=True)
class Trial:
    settings: Settings
    ndcg_at_10: float
    epochs: int
    seconds: float
    artifact_uri: str


def search(
    train: Callable[[Settings], TrainingResult],
    seconds: float,
    start: Settings = START,
    stages: Sequence[Sequence[Settings]] = STAGES,
) -> list[Trial]:
    """Every trial that was made, the best one first; `start` is tried in any case."""
    began = time.perf_counter()
    trials = [_trial(train, start)]
    best = trials[0]
    for stage in stages:
        base = best.settings
        for variation in stage:
            longest = max(trial.seconds for trial in trials)
            if time.perf_counter() - began + longest > seconds:
                continue
            trials.append(_trial(train, {**base, **variation}))
            best = max(best, trials[-1], key=lambda trial: trial.ndcg_at_10)
    return sorted(trials, key=lambda trial: -trial.ndcg_at_10)


def applied(config: Config, settings: Settings, rows: int, targets: int) -> Config:
    """`config` with these settings, for a train split of `rows` rows with `targets` targets in all."""
    per_row = targets / rows
    batch = {"batch_size": _rows_a_step(settings["events_a_step"] / per_row), "processes": 1}
    bounds = {"max_epochs": MOST_EPOCHS, "patience": PATIENCE}
    changes = settings | batch | bounds
    sections = {}
    for name, section in (("model", config.model), ("training", config.training)):
        own = {key: value for key, value in changes.items() if key in type(section).model_fields}
        sections[name] = type(section)(**section.model_dump() | own)
    return config.model_copy(update=sections)


def _rows_a_step(rows: float) -> int:
    """The power of two next to `rows`, by ratio."""
    return max(LEAST_ROWS_A_STEP, int(2 ** round(math.log2(rows))))


def _trial(train: Callable[[Settings], TrainingResult], settings: Settings) -> Trial:
    result = train(settings)
    return Trial(
        settings, result.best.ndcg_at_10 or 0.0, result.best.epoch, result.seconds, result.artifact_uri
    )
