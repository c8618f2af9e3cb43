"""A training that is killed, and run again, gives the model of one that was not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmrec.errors import BadArtifact, LstmrecError
from lstmrec.learn import artifact, distributed
from lstmrec.learn.spec import TrainingResult, TrainingSpec
from tests.learn.tables import model_config, spec, training_config
from tests.learn.test_fit import N_ITEMS, successors

SETTINGS: dict[str, Any] = {
    "loss": "sampled",
    "max_epochs": 6,
    "patience": 6,
    "batch_size": 8,
    "learn_from": "train_and_validation",
}


def order(root: Path, **settings: Any) -> TrainingSpec:
    """A training with random numbers of all kinds: dropout, negatives, the order of rows."""
    model = model_config(dropout=0.2, embedding_dropout=0.2)
    training = training_config(**SETTINGS | settings)
    return spec(root, successors(200), N_ITEMS, model=model, training=training)


def elsewhere(made: TrainingSpec, folder: Path) -> TrainingSpec:
    """The same training with its artifact, and what lies beside it, in another folder."""
    return made.model_copy(update={"artifact_uri": str(folder / "artifact")})


def wait_for(folder: Path, checkpoint: str) -> None:
    deadline = time.monotonic() + 240
    while not list(folder.glob(f"checkpoints/artifact/{checkpoint}.npz")):
        assert time.monotonic() < deadline, f"no {checkpoint} came"
        time.sleep(0.005)


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        for child in children:
            yield child
            yield from descendants(child)


def is_rank_1(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return False
    return {b"lstmrec.learn.distributed", b"HOROVOD_RANK=1"} <= set(told.split(b"\0"))


def what_came(result: TrainingResult) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """What a training gave, but for its times."""
    model = artifact.load(result.artifact_uri)
    epochs = [epoch.model_dump(exclude={"seconds", "events_per_second"}) for epoch in result.history]
    return epochs, model.item_matrix, model.item_bias


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    for a, b in zip(what_came(one), what_came(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_two_ranks_go_on_to_the_same_model_after_one_was_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # an epoch takes a third of a second: many, so that the kill comes before the last one
    undisturbed = order(tmp_path, processes=2, learn_from="train", max_epochs=30, patience=30)
    disturbed = elsewhere(undisturbed, tmp_path / "killed")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(distributed.launch, disturbed)
        wait_for(tmp_path / "killed", "choose-*-0002")
        (victim,) = filter(is_rank_1, descendants(os.getpid()))
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(LstmrecError, match="training: a rank was lost without a word"):
            running.result()
    assert not Path(disturbed.artifact_uri).exists()

    with caplog.at_level("INFO"):
        went_on = distributed.launch(disturbed)
    assert "training goes on after epoch" in caplog.text
    assert_same(went_on, distributed.launch(undisturbed))
    assert not (tmp_path / "killed" / "checkpoints" / "artifact").exists()


@pytest.mark.slow
def test_a_run_killed_in_its_final_training_does_not_choose_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed = order(tmp_path, max_epochs=3)
    disturbed = elsewhere(undisturbed, tmp_path / "killed")
    told = tmp_path / "spec.json"
    told.write_text(disturbed.model_dump_json())
    rank = [sys.executable, "-m", "lstmrec.learn.distributed", str(told), str(tmp_path / "result.json")]
    with subprocess.Popen(rank) as running:
        wait_for(tmp_path / "killed", "final-*-0001")
        running.kill()
    assert not Path(disturbed.artifact_uri).exists()

    with caplog.at_level("INFO"):
        went_on = distributed.launch(disturbed)
    assert not [line for line in caplog.messages if line.startswith("epoch ")]
    assert_same(went_on, distributed.launch(undisturbed))


def test_a_checkpoint_of_other_settings_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = order(tmp_path, max_epochs=1)
    leave_checkpoint(made)
    with caplog.at_level("INFO"):
        distributed.launch(order(tmp_path, max_epochs=1, learning_rate=0.02))
    assert "goes on" not in caplog.text


def test_a_checkpoint_that_is_cut_off_is_named(tmp_path: Path) -> None:
    made = order(tmp_path, max_epochs=1)
    kept = leave_checkpoint(made)
    kept.write_bytes(kept.read_bytes()[:1000])
    with pytest.raises(BadArtifact, match=rf"{kept.name}: is no readable checkpoint .*; delete it"):
        distributed.launch(made)


def leave_checkpoint(made: TrainingSpec) -> Path:
    """Train up to the writing of the artifact, which cannot be: a file is in its way."""
    Path(made.artifact_uri).touch()
    with pytest.raises(LstmrecError, match="the artifact cannot be written"):
        distributed.launch(made)
    Path(made.artifact_uri).unlink()
    (kept,) = Path(made.artifact_uri).parent.glob("checkpoints/artifact/choose-*-0001.npz")
    return kept


def test_no_checkpoint_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    made = order(tmp_path, max_epochs=1, checkpoint_epochs=0)
    Path(made.artifact_uri).touch()
    with pytest.raises(LstmrecError, match="the artifact cannot be written"):
        distributed.launch(made)
    assert not (tmp_path / "checkpoints").exists()
