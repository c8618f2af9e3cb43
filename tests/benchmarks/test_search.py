from collections.abc import Mapping

import pytest

from lstmrec.config import Config
from lstmrec.learn.spec import EpochRecord, Limits, TrainingResult
from tests.benchmarks import search

STAGES = (({"width": 2.0}, {"width": 3.0}), ({"dropout": 0.5},))


def result(*gains: float, seconds: float = 0.0) -> TrainingResult:
    history = tuple(
        EpochRecord(
            epoch=number, loss=1.0, ndcg_at_10=gain, hit_rate_at_10=gain, seconds=1.0, events_per_second=1.0
        )
        for number, gain in enumerate(gains, start=1)
    )
    best = max(history, key=lambda epoch: epoch.ndcg_at_10)
    return TrainingResult(
        artifact_uri="here", processes=1, steps_per_epoch=1, best=best, history=history, seconds=seconds
    )


def test_each_stage_varies_the_best_settings_so_far() -> None:
    tried: list[Mapping[str, float]] = []

    def train(settings: Mapping[str, float], limits: Limits) -> TrainingResult:
        tried.append(settings)
        return result(settings["width"] - 10 * settings["dropout"])

    trials = search.search(train, 60, 0, {"width": 1.0, "dropout": 0.0}, STAGES)
    assert tried == [
        {"width": 1.0, "dropout": 0.0},
        {"width": 2.0, "dropout": 0.0},
        {"width": 3.0, "dropout": 0.0},
        {"width": 3.0, "dropout": 0.5},
    ]
    assert trials[0].settings == {"width": 3.0, "dropout": 0.0}
    assert [trial.ndcg_at_10 for trial in trials] == [3, 2, 1, -2]


def test_a_trial_may_fall_behind_in_the_first_epochs_and_a_little_in_the_later_ones() -> None:
    given: list[Limits] = []

    def train(settings: Mapping[str, float], limits: Limits) -> TrainingResult:
        given.append(limits)
        return result(0.1, 0.2, 0.4, 0.3)

    search.search(train, 60, 0, {"width": 1.0}, [[{"width": 2.0}]])
    assert given[0].least_ndcg_at_10 == ()
    assert given[1].least_ndcg_at_10 == pytest.approx((0, 0, 0.97 * 0.4, 0.97 * 0.4))
    assert given[0].seconds == 30  # another trial may take as long


def test_a_trial_that_leads_by_no_more_than_a_seeds_luck_is_not_the_best() -> None:
    def train(settings: Mapping[str, float], limits: Limits) -> TrainingResult:
        return result(settings["gain"])

    trials = search.search(train, 60, 0, {"gain": 1.0}, [[{"gain": 1.004}], [{"gain": 1.006}]])
    assert [trial.settings["gain"] for trial in trials] == [1.006, 1.004, 1.0]
    trials = search.search(train, 60, 0, {"gain": 1.0}, [[{"gain": 1.004}]])
    assert [trial.settings["gain"] for trial in trials] == [1.0, 1.004]


def test_no_trial_starts_that_could_not_be_judged_in_time_but_the_first_does() -> None:
    def train(settings: Mapping[str, float], limits: Limits) -> TrainingResult:
        return result(1.0, 2.0, seconds=50)  # 25 s an epoch: 75 s until the third

    trials = search.search(train, 60, 0, {"width": 1.0, "dropout": 0.0}, STAGES)
    assert [trial.settings["width"] for trial in trials] == [1.0]


def test_time_is_left_for_the_final_trainings() -> None:
    given: list[float | None] = []

    def train(settings: Mapping[str, float], limits: Limits) -> TrainingResult:
        given.append(limits.seconds)
        return result(1.0, 3.0, 2.0, seconds=60)  # 20 s an epoch: the finals take 3 x 2 x 20, a verdict 60

    search.search(train, 800, 3, {"width": 1.0}, [[{"width": 2.0}]])
    assert given == [160, pytest.approx(200, abs=1)]  # the made training took no time
    given.clear()
    search.search(train, 170, 3, {"width": 1.0}, [[{"width": 2.0}]])
    assert given == [34]  # 170 s are less than 120 + 60


@pytest.mark.parametrize(
    ("rows", "targets", "wanted"),
    [
        (100, 600, 256),  # 1500 events a step: 250 rows
        (100, 10_000, 16),  # 15 rows
        (1, 10_000, 8),  # less than one
        (10_000, 1_600_000, 32),  # 9 rows would make 1,000 slow steps
        (1_600, 256_000, 16),  # 32 rows would make 50 steps: too few
    ],
)
def test_a_step_takes_about_as_many_events_however_long_the_histories_are_but_a_fast_number_of_rows(
    config: Config, rows: int, targets: int, wanted: int
) -> None:
    got = search.applied(config, search.START, rows, targets)
    assert got.training.batch_size == wanted
    assert (got.model.width, got.training.learning_rate) == (192, search.START["learning_rate"])
    assert got.sequences == config.sequences
