"""Trials are real trainings in processes of their own; the study is a real SQLite file."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import optuna
import pytest
from optuna.trial import TrialState
from pydantic import ValidationError

from lstmrec.errors import BadConfig, BadInput, LstmrecError
from lstmrec.learn import study
from lstmrec.learn.spec import TrainingSpec
from lstmrec.learn.study import StudySpec
from lstmrec.recipe import TuningConfig
from tests.learn.tables import spec, training_config
from tests.learn.test_fit import N_ITEMS, successors


def tuning(folder: Path, **changes: Any) -> TuningConfig:
    few = {
        "study": str(folder / "studies" / "study.db"),
        "trials": 3,
        "parallel": 1,
        "minutes": 10,
        "prune_after_epochs": 1,
        "space": {"training.learning_rate": {"low": 0.001, "high": 0.05, "scale": "log"}},
    }
    return TuningConfig(**(few | changes))


def order(folder: Path, training: TrainingSpec | None = None, **changes: Any) -> StudySpec:
    quick = training_config(max_epochs=2, checkpoint_epochs=0)
    training = training or spec(folder, successors(60), N_ITEMS, training=quick)
    return StudySpec(name="s", training=training, tuning=tuning(folder, **changes))


def trials(made: StudySpec) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="s", storage=f"sqlite:///{made.tuning.study}").trials


@pytest.mark.slow
def test_the_best_trial_is_found_and_a_study_that_stands_is_gone_on_with(tmp_path: Path) -> None:
    made = order(tmp_path, trials=2)
    first = study.tune(made)
    ended = trials(made)
    values = [trial.value for trial in ended]
    assert (first.trials, first.ndcg_at_10) == (2, max(values))
    rate = ended[first.trial].params["training.learning_rate"]
    assert first.settings == {"training": {"learning_rate": rate}}
    assert not list(tmp_path.rglob("manifest.json"))
    assert list(tmp_path.rglob("s-1/choose/events*"))

    more = study.tune(order(tmp_path, made.training, trials=4, parallel=2))
    assert more.trials >= 4
    assert [trial.value for trial in trials(made)][:2] == values
    assert study.tune(made) == more  # enough trials: none is added


def test_a_trial_below_the_median_of_the_others_ends_early(tmp_path: Path) -> None:
    made = order(tmp_path, trials=6)
    others = optuna.create_study(storage=f"sqlite:///{sqlite(made)}", study_name="s", direction="maximize")
    for _ in range(5):  # so many before any is pruned
        good = {1: 0.999, 2: 0.999}
        others.add_trial(optuna.trial.create_trial(value=0.999, intermediate_values=good))
    study.work(made)
    last = trials(made)[-1]
    assert (last.state, list(last.intermediate_values)) == (TrialState.PRUNED, [1])


def test_settings_without_a_finite_loss_are_a_pruned_trial_and_no_failure(tmp_path: Path) -> None:
    space = {"training.learning_rate": {"choices": [1e30]}}
    made = order(tmp_path, trials=1, space=space)
    sqlite(made)
    study.work(made)
    assert [trial.state for trial in trials(made)] == [TrialState.PRUNED]
    with pytest.raises(BadInput, match=r"no trial came to its end; raise tuning.minutes or tuning.trials"):
        study.tune(made)


def sqlite(made: StudySpec) -> str:
    Path(made.tuning.study).parent.mkdir()
    return made.tuning.study


@pytest.mark.slow
def test_a_trial_that_fails_is_told_by_its_reason(tmp_path: Path) -> None:
    made = order(tmp_path)
    Path(unquote(made.training.train[0].uri).removeprefix("file://")).unlink()
    with pytest.raises(LstmrecError, match=r"training failed on rank 0: .*is no Parquet file"):
        study.tune(made)


def test_a_value_out_of_its_keys_range_is_named_with_its_key(tmp_path: Path) -> None:
    made = spec(tmp_path, [[1, 2, 3, 4]] * 4, 4)
    assert study.applied(made, {"model.width": 8, "training.patience": 1}).model.width == 8
    with pytest.raises(BadConfig, match=r"tuning.space: model.dropout: Input should be less than 1"):
        study.applied(made, {"model.dropout": 1.5})


def test_other_ranges_are_another_study_and_more_trials_are_the_same(tmp_path: Path) -> None:
    name = study.study_name("m1", tuning(tmp_path))
    assert study.study_name("m1", tuning(tmp_path, trials=9, parallel=4)) == name
    wider = {"training.learning_rate": {"low": 0.001, "high": 0.1, "scale": "log"}}
    assert study.study_name("m1", tuning(tmp_path, space=wider)) != name


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"model.widht": {"choices": [8]}}, r"names \['model.widht'\], which are no keys"),
        ({"model.dropout": {"low": 0.5, "high": 0.1, "scale": "linear"}}, "low must be below high"),
        ({"model.dropout": {"low": 0, "high": 0.1, "scale": "log"}}, "above 0 where scale is log"),
        ({"model.dropout": None}, "must name a key that is varied"),
    ],
)
def test_a_space_that_cannot_be_searched_is_told(tmp_path: Path, space: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        tuning(tmp_path, space=space)
