"""What is kept of each epoch, against an artifact that is ranked by numpy alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow import make_ndarray

from lstmrec.learn import artifact, distributed
from lstmrec.learn.spec import TrainingResult
from tests.learn.tables import spec, training_config
from tests.learn.test_fit import N_ITEMS, hit_rate, scores_of, successors

HISTORIES = successors(100)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    training = training_config(max_epochs=3)
    return distributed.launch(spec(tmp_path_factory.mktemp("run"), HISTORIES, N_ITEMS, training=training))


def test_losses_and_accuracies_are_those_of_the_weights_that_are_kept(result: TrainingResult) -> None:
    model = artifact.load(result.artifact_uri)
    validation, training = [h[:-1] for h in HISTORIES], [h[:-2] for h in HISTORIES]
    scores = scores_of(model, validation)
    targets = [h[-1] for h in validation]
    probabilities = np.exp(scores[:, 1:]) / np.exp(scores[:, 1:]).sum(axis=1, keepdims=True)
    losses = -np.log(probabilities[np.arange(len(targets)), np.array(targets) - 1])
    assert result.best.validation_loss == pytest.approx(losses.mean(), rel=1e-4)
    assert result.best.validation_accuracy == pytest.approx(hit_rate(validation, scores, k=1))
    assert result.best.hit_rate_at_10 == pytest.approx(hit_rate(validation, scores, k=10))
    assert result.best.accuracy == pytest.approx(hit_rate(training, scores_of(model, training), k=1))
    assert 0 < result.best.validation_accuracy < 1
    assert result.best.accuracy != result.best.validation_accuracy  # else one could stand for the other


def test_the_artifact_and_tensorboard_have_the_curves_of_all_epochs(result: TrainingResult) -> None:
    uri = Path(result.artifact_uri)
    history = json.loads((uri / artifact.METRICS).read_text())["history"]
    log = EventAccumulator(str(uri.parent / "tensorboard" / uri.name / "choose")).Reload()
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy", "ndcg_at_10"):
        drawn = [(event.step, float(make_ndarray(event.tensor_proto))) for event in log.Tensors(name)]
        assert drawn == [(epoch["epoch"], pytest.approx(epoch[name])) for epoch in history]
    assert len(history) == 3
