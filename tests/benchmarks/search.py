"""Settings that a data set chooses for itself: a race among a short list, by validation NDCG@10 alone.

The list's first settings learn until validation gets no better. Every other trial varies the best so far,
and ends as soon as its validation falls behind what the best had after as many epochs: most cost but two or
three epochs. The time is for the final trainings, too, which take as many epochs as the best trial did: so a
trial gets the time left over 1 + their number, the first one over 2 + their number, that others may follow,
and none begins that would take what the final ones need. One epoch comes in any case.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lstmrec.config import Config
from lstmrec.learn.spec import EpochRecord, Limits, TrainingResult

log = logging.getLogger(__name__)

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
    (
        {"width": 128, "embedding_dropout": 0.3, "dropout": 0.3},
        {"width": 256, "embedding_dropout": 0.6, "dropout": 0.3},
    ),
    ({"later_items": 0.8}, {"later_items": 0.0}),
    ({"label_smoothing": 0.1},),
    ({"learning_rate": 0.001},),
)
"""Each stage's variations are tried on the best settings so far, likeliest first."""
MOST_EPOCHS: Final = 40
PATIENCE: Final = 5
LEAST_ROWS_A_STEP: Final = 8
FAST_ROWS_A_STEP: Final = 32
"""Of 8 rows of 160 events a step takes 1.5 times the CPU time an event that one of 32 does: the recurrence is
as long for few rows as for many."""
ENOUGH_STEPS: Final = 100
"""An epoch of so many steps or more takes FAST_ROWS_A_STEP, however many events they hold."""
FREE_EPOCHS: Final = 2
"""Whose validation ends no trial: what learns slowly at first may be better in the end."""
SLACK: Final = 0.97
"""A trial goes on with this share of what the best had after as many epochs."""
LEAD: Final = 1.005
"""A trial is better with at least this times the best's NDCG@10: less is the luck of a seed."""

Train = Callable[[Settings, Limits], TrainingResult]


@dataclass(frozen=True)
class Trial:
    settings: Settings
    ndcg_at_10: float
    epochs: int
    """Of the best one."""
    by_epoch: tuple[float, ...]
    """Validation NDCG@10."""
    seconds: float
    artifact_uri: str


def search(
    train: Train, seconds: float, finals: int, start: Settings, stages: Sequence[Sequence[Settings]]
) -> list[Trial]:
    """Every trial that was made, the best one first, then by validation; `start` is tried in any case.

    `seconds` are for the trials and for `finals` trainings by the best one's settings and epochs.
    """
    ends = time.perf_counter() + seconds
    trials = [_trial(train, start, Limits(seconds=_share(seconds, 1 + finals)))]
    best = trials[0]
    for stage in stages:
        base = best.settings
        for variation in stage:
            left = ends - time.perf_counter()
            if left < _seconds(best, FREE_EPOCHS + 1) + finals * _seconds(best, best.epochs):
                continue  # it could not be judged
            limits = Limits(least_ndcg_at_10=_least(best), seconds=_share(left, finals))
            trials.append(_trial(train, base | variation, limits))
            if trials[-1].ndcg_at_10 >= LEAD * best.ndcg_at_10:
                best = trials[-1]
            log.info(
                "trial %d, %.0f s left; best so far: %.4f by %s",
                len(trials),
                ends - time.perf_counter(),
                best.ndcg_at_10,
                best.settings,
            )
    return sorted(trials, key=lambda trial: (trial is not best, -trial.ndcg_at_10))


def _share(seconds: float, others: int) -> float:
    """What of the time left a trial may take, so that so many others may take as long."""
    return max(1.0, seconds / (1 + others))


def _least(best: Trial) -> tuple[float, ...]:
    """What a trial needs after each epoch to go on: SLACK of the best one's best until then."""
    so_far = [max(best.by_epoch[:epoch]) for epoch in range(1, len(best.by_epoch) + 1)]
    return tuple(0.0 if epoch <= FREE_EPOCHS else SLACK * gain for epoch, gain in enumerate(so_far, start=1))


def _seconds(trial: Trial, epochs: int) -> float:
    """How long so many epochs take by its settings."""
    return trial.seconds / len(trial.by_epoch) * epochs


def applied(config: Config, settings: Settings, rows: int, targets: int) -> Config:
    """`config` with these settings, for a train split of `rows` rows with `targets` targets in all."""
    least = min(FAST_ROWS_A_STEP, max(LEAST_ROWS_A_STEP, rows // ENOUGH_STEPS))
    by_events = settings["events_a_step"] * rows / targets
    batch = {"batch_size": _power_of_two(max(least, by_events)), "processes": 1}
    bounds = {"max_epochs": MOST_EPOCHS, "patience": PATIENCE, "checkpoint_epochs": 0}
    changes = settings | batch | bounds
    sections = {}
    for name, section in (("model", config.model), ("training", config.training)):
        own = {key: value for key, value in changes.items() if key in type(section).model_fields}
        sections[name] = type(section)(**section.model_dump() | own)
    return config.model_copy(update=sections)


def _power_of_two(rows: float) -> int:
    """The one next to `rows`, by ratio."""
    return int(2 ** round(math.log2(rows)))


def _trial(train: Train, settings: Settings, limits: Limits) -> Trial:
    result = train(settings, limits)
    return Trial(
        settings,
        _gain(result.best),
        result.best.epoch,
        tuple(map(_gain, result.history)),
        result.seconds,
        result.artifact_uri,
    )


def _gain(epoch: EpochRecord) -> float:
    return epoch.ndcg_at_10 or 0.0
