"""A search for settings by Optuna: trainings of one process, some side by side, in a study that is a file.

A study that stands is gone on with: trials that ended count, one that was killed does not. Which settings
are tried follows from the seed while trials run one by one; side by side, from who ends first, too.

    python -m lstmrec.learn.study study.json      a worker: trials until there are enough
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import optuna
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import BaseModel, ConfigDict, ValidationError

from lstmrec.errors import BadConfig, BadInput, Diverged, LstmrecError
from lstmrec.learn.relay import Relay, failure_line
from lstmrec.learn.spec import EpochRecord, TrainingSpec
from lstmrec.recipe import Range, TuningConfig

log = logging.getLogger(__name__)

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
BEST_EPOCH = "best_epoch"


class StudySpec(BaseModel):
    """A search: the training that its trials vary, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    training: TrainingSpec
    """Its artifact_uri names the folder of the trials' curves; trials write no artifact."""
    tuning: TuningConfig


class Found(BaseModel):
    """The best trial of a study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: int
    trials: int
    ndcg_at_10: float
    epochs: int
    settings: dict[str, dict[str, Any]]
    """Section -> key -> value, as in conf."""


def study_name(model_version: str, tuning: TuningConfig) -> str:
    """The same for the same data, settings and ranges, however many trials, workers and minutes there are."""
    varied = tuning.model_dump_json(include={"space", "prune_after_epochs"})
    return f"{model_version}-{hashlib.sha256(varied.encode()).hexdigest()[:6]}"


def tune(spec: StudySpec) -> Found:
    """Run trials until the study has `trials` of them or the minutes are over; the best of all.

    Raises
    ------
    LstmrecError
        If a trial fails for another reason than its settings; those that ended stay in the study.
    """
    tuning = spec.tuning
    Path(tuning.study).parent.mkdir(parents=True, exist_ok=True)
    study = _study(spec)
    log.info("study %s in %s: %d trials so far", spec.name, tuning.study, len(study.get_trials(states=ENDED)))
    with tempfile.TemporaryDirectory(prefix="lstmrec-study-") as folder:
        order = Path(folder, "study.json")
        order.write_text(spec.model_dump_json())
        if len(study.get_trials(states=ENDED)) < tuning.trials:
            _run_workers([sys.executable, "-m", "lstmrec.learn.study", str(order)], tuning.parallel)
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        raise BadInput("tuning: no trial came to its end; raise tuning.minutes or tuning.trials")
    best = study.best_trial
    return Found(
        trial=best.number,
        trials=len(study.get_trials(states=ENDED)),
        ndcg_at_10=best.value,
        epochs=best.user_attrs[BEST_EPOCH],
        settings=_settings(best.params),
    )


def work(spec: StudySpec) -> None:
    """Run trials in this process, one after the other."""
    _study(spec).optimize(
        lambda trial: _objective(trial, spec),
        timeout=spec.tuning.minutes * 60,
        callbacks=[MaxTrialsCallback(spec.tuning.trials, ENDED), _tell],
    )


def _objective(trial: Trial, spec: StudySpec) -> float:
    from lstmrec.learn.fit import choose

    keras.backend.clear_session()
    for name, choice in spec.tuning.varied.items():
        if isinstance(choice, Range):
            trial.suggest_float(name, choice.low, choice.high, log=choice.scale == "log")
        else:
            trial.suggest_categorical(name, choice.choices)

    def watch(epoch: EpochRecord) -> None:
        trial.report(epoch.ndcg_at_10 or 0.0, epoch.epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    uri = f"{spec.training.artifact_uri}/{spec.name}-{trial.number}"
    try:
        best = choose(applied(spec.training, trial.params).model_copy(update={"artifact_uri": uri}), watch)
    except Diverged as error:
        log.info("trial %d: %s", trial.number, error)
        raise optuna.TrialPruned from error
    trial.set_user_attr(BEST_EPOCH, best.epoch)
    return best.ndcg_at_10 or 0.0


def applied(spec: TrainingSpec, params: Mapping[str, Any]) -> TrainingSpec:
    """The training with the settings of a trial.

    Raises
    ------
    BadConfig
        If a value is out of its key's range.
    """
    sections = {}
    for name, own in _settings(params).items():
        section = getattr(spec, name)
        try:
            sections[name] = type(section)(**section.model_dump() | own)
        except ValidationError as error:
            reasons = "; ".join(f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadConfig(f"tuning.space: {reasons}") from None
    return spec.model_copy(update=sections)


def _settings(params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        section, _, key = name.partition(".")
        settings.setdefault(section, {})[key] = value
    return settings


def _study(spec: StudySpec) -> optuna.Study:
    optuna.logging.disable_default_handler()  # each trial is told by our log
    config, seed = spec.tuning, spec.training.training.seed
    return optuna.create_study(
        storage=f"sqlite:///{config.study}",
        study_name=spec.name,
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=config.parallel > 1),
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=config.prune_after_epochs),
    )


def _tell(study: optuna.Study, trial: FrozenTrial) -> None:
    value = f"{trial.value:.4f}" if trial.value is not None else "none"
    log.info("trial %d %s  NDCG@10 %s  %s", trial.number, trial.state.name.lower(), value, trial.params)


def _run_workers(command: Sequence[str], number: int) -> None:
    """Run so many workers on this machine to their end, each with its share of the cores."""
    cores = max(1, len(os.sched_getaffinity(0)) // number)
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_NUM_INTRAOP_THREADS": str(cores)}

    def failure() -> str | None:
        relay = Relay(log)
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as worker:
            for line in worker.stdout or ():
                relay.write(line)
        ended = f"tuning: a worker ended with code {worker.returncode}"
        return (relay.failure or ended) if worker.returncode else None

    with ThreadPoolExecutor(number) as pool:
        failures = [reason for reason in pool.map(lambda _: failure(), range(number)) if reason]
    if failures:
        raise LstmrecError(failures[0])


def main(argv: Sequence[str]) -> None:
    """A worker: the study's file in; trials go to the study."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s", force=True)
    try:
        work(StudySpec.model_validate_json(Path(argv[0]).read_text()))
    except Exception as error:
        print(failure_line("0", error), flush=True)
        raise


if __name__ == "__main__":
    main(sys.argv[1:])
