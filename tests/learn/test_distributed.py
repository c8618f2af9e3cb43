import logging
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from lstmrec.errors import LstmrecError
from lstmrec.learn import artifact, distributed
from lstmrec.learn.relay import Relay, failure_line
from lstmrec.learn.spec import TrainingSpec
from tests.learn import one_step
from tests.learn.tables import spec, training_config
from tests.learn.test_fit import N_ITEMS, successors

ROOT = Path(__file__).parents[2]


def run_two_ranks(*command: str) -> None:
    launcher = [sys.executable, "-m", "horovod.runner.launch", "--gloo", "-np", "2"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    subprocess.run([*launcher, sys.executable, *command], check=True, env=env, cwd=ROOT, timeout=240)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What two steps give alone and on two ranks, a file a setting."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    one_step.main(str(alone))
    run_two_ranks("-m", "tests.learn.one_step", str(together))  # ends unless the ranks agree to the bit
    return alone, together


@pytest.mark.slow
def test_two_ranks_of_half_a_batch_take_the_step_of_one_with_all_of_it(steps: tuple[Path, Path]) -> None:
    one, two = (np.load(folder / "full.npz") for folder in steps)
    assert one["totals"][:, 1].tolist() == two["totals"][:, 1].tolist() == [17, 17]
    assert one["traces"] == two["traces"] == 1  # for two padded lengths
    np.testing.assert_allclose(two["totals"], one["totals"], rtol=1e-5)
    for name in one.files:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_gradients_in_half_precision_have_nearly_the_same_norm_and_losses_are_not_rounded(
    steps: tuple[Path, Path],
) -> None:
    names = "full", "full in half precision"
    whole, half = (np.load(steps[1] / f"{name}.npz")["totals"] for name in names)
    assert half[0, :2].tolist() == whole[0, :2].tolist()
    np.testing.assert_allclose(half[:, 2], whole[:, 2], rtol=1e-3)
    assert not np.array_equal(half[:, 2], whole[:, 2])


@pytest.mark.slow
def test_rows_of_a_table_are_summed_over_ranks_each_row_once(steps: tuple[Path, Path]) -> None:
    alone, together = (np.load(folder / "rows.npz")["summed"].tolist() for folder in steps)
    assert alone == [[4, 2], [1 + 3, 2]]
    assert together == [[4, 2], [3 * (1 + 3), 3 * 2]]


@pytest.mark.slow
def test_ranks_that_draw_other_items_take_one_step_together(steps: tuple[Path, Path]) -> None:
    sampled = np.load(steps[1] / "sampled in 16 bits.npz")  # ends unless the ranks agree to the bit
    assert sampled["totals"][:, 1].tolist() == [17, 17]
    assert sampled["traces"] == 1


@pytest.mark.slow
def test_two_processes_reach_the_quality_of_one(tmp_path: Path) -> None:
    histories = successors(240)
    results = []
    for processes in (1, 2):
        training = training_config(processes=processes, max_epochs=6)
        order = spec(tmp_path / str(processes), histories, N_ITEMS, training=training, groups=3)
        results.append(distributed.launch(order))
    one, two = results
    assert (one.processes, two.processes) == (1, 2)
    assert two.best.ndcg_at_10 == pytest.approx(one.best.ndcg_at_10, abs=0.05)
    assert artifact.load(two.artifact_uri).manifest.metrics["ndcg_at_10"] == two.best.ndcg_at_10


@pytest.mark.slow
def test_a_rank_that_fails_alone_ends_the_training_with_its_reason(tmp_path: Path) -> None:
    order = spec(
        tmp_path, successors(60), N_ITEMS, training=training_config(processes=2), lengths=(16,), groups=2
    )
    spoil_the_rows(order.train[1].uri)  # rank 1's; the other waits for it in an allreduce
    with pytest.raises(LstmrecError, match=r"training failed on rank 1: "):
        distributed.launch(order)


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_all_ranks(tmp_path: Path) -> None:
    training = training_config(processes=2, learning_rate=1e30, warmup_epochs=0)
    order = spec(tmp_path, successors(60), N_ITEMS, training=training)
    with pytest.raises(LstmrecError, match=r"training failed on rank \d: training: epoch 1, step 2 of"):
        distributed.launch(order)
    assert not Path(order.artifact_uri).exists()


@pytest.mark.parametrize(
    "said",
    [
        "Horovod has been shut down. This was caused by an exception on one of the ranks.",
        "[gloo/gloo/transport/tcp/pair.cc:589] Read error [127.0.0.1]:42911: Connection reset by peer",
    ],
)
def test_a_rank_whose_partner_is_gone_has_no_reason_of_its_own(said: str) -> None:
    assert distributed.is_left_behind(RuntimeError(said))
    assert not distributed.is_left_behind(LstmrecError("training: epoch 1, step 2 of 3: the loss is nan"))


def spoil_the_rows(uri: str) -> None:
    path = Path(unquote(uri.removeprefix("file://")))
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    path.write_bytes(content[:4] + bytes(len(content) - footer - 4) + content[-footer:])


def too_few_row_groups(root: Path, launcher: str) -> TrainingSpec:
    training = training_config(processes=2, launcher=launcher)
    return spec(root, [[1, 2, 3, 4]] * 4, 4, lengths=(8,), groups=1, training=training)


def test_the_lines_of_ranks_reach_the_log_without_their_prefix(caplog: pytest.LogCaptureFixture) -> None:
    relay = Relay(logging.getLogger("ranks"))
    with caplog.at_level(logging.INFO):
        relay.write("[0]<stdout>:epoch 1  lo")
        relay.write(
            "ss 2.0\n[1,0]<stderr>:\nplain\n[0]<stderr>:I0000 00:00:1795.2 31 devices.cc:76] Number of GPUs\n"
        )
    assert caplog.messages == ["epoch 1  loss 2.0", "plain"]
    assert relay.failure is None


def test_the_first_failure_of_a_rank_is_kept() -> None:
    relay = Relay(logging.getLogger("ranks"))
    relay.write(
        f"[1]<stdout>:{failure_line('1', ValueError('no such file'))}\n{failure_line('0', OSError())}\n"
    )
    assert relay.failure == "training failed on rank 1: no such file"
