from collections.abc import Mapping

import pytest

from lstmrec.config import Config
from lstmrec.learn.spec import EpochRecord, TrainingResult
from tests.benchmarks import search

STAGES = (({"width": 2.0}, {"width": 3.0}), ({"dropout": 0.5},))


def result(gain: float, seconds: float = 0.0) -> TrainingResult:
    epoch = EpochRecord(
        epoch=4, loss=1.0, ndcg_at_10=gain, hit_rate_at_10=gain, seconds=1.0, events_per_second=1.0
    )
    return TrainingResult(
        artifact_uri="here", processes=1, steps_per_epoch=1, best=epoch, history=(epoch,), seconds=seconds
    )


def test_each_stage_varies_the_best_settings_so_far() -> None:
    tried: list[Mapping[str, float]] = []

    def train(settings: Mapping[str, float]) -> TrainingResult:
        tried.append(settings)
        return result(settings["width"] - 10 * settings["dropout"])

    trials = search.search(train, 60, {"width": 1.0, "dropout": 0.0}, STAGES)
    assert tried == [
        {"width": 1.0, "dropout": 0.0},
        {"width": 2.0, "dropout": 0.0},
        {"width": 3.0, "dropout": 0.0},
        {"width": 3.0, "dropout": 0.5},
    ]
    assert trials[0].settings == {"width": 3.0, "dropout": 0.0}
    assert [trial.ndcg_at_10 for trial in trials] == [3, 2, 1, -2]


def test_no_trial_starts_that_would_not_end_in_time_but_the_first_does() -> None:
    trials = search.search(lambda _: result(1.0, seconds=70), 60, {"width": 1.0, "dropout": 0.0}, STAGES)
    assert [trial.settings["width"] for trial in trials] == [1.0]


@pytest.mark.parametrize(("rows", "targets", "wanted"), [(100, 600, 256), (100, 10_000, 16), (1, 10_000, 8)])
def test_a_step_takes_about_as_many_events_however_long_the_histories(
    config: Config, rows: int, targets: int, wanted: int
) -> None:
    got = search.applied(config, search.START, rows, targets)
    assert got.training.batch_size == wanted  # 1500 events a step: 250, 15 and less than one row
    assert (got.model.width, got.training.learning_rate) == (192, search.START["learning_rate"])
    assert got.sequences == config.sequences
