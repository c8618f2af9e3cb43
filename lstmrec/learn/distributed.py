"""Many processes, one training: the only file that knows Horovod.

The same code runs alone, under horovodrun on this machine, and in the tasks of a Spark job. What a rank
calls comes first (from start to require_agreement), the launchers after it.

    python -m lstmrec.learn.distributed spec.json result.json      what horovodrun starts on each rank
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import horovod.tensorflow as hvd
import tensorflow as tf

from lstmrec.errors import LstmrecError
from lstmrec.learn.relay import Relay, failure_line
from lstmrec.learn.spec import TrainingResult, TrainingSpec
from lstmrec.learn.storage import absolute

log = logging.getLogger(__name__)

T = TypeVar("T")

CHIEF: Final = 0
COMPRESSIONS: Final = {"none": hvd.Compression.none, "fp16": hvd.Compression.fp16}
RANK_ENVIRONMENT: Final = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "600",  # a rank that others wait for so long is lost: end them all
}

LEFT_BEHIND: Final = ("Horovod has been shut down", "/gloo/transport/")
"""In what a rank says whose partner is gone: told of it by Horovod, or finding the connection closed."""


@dataclass(frozen=True)
class Ranks:
    """A process among all that train together."""

    rank: int
    size: int

    @property
    def is_chief(self) -> bool:
        return self.rank == CHIEF


def start() -> Ranks:
    """Join the other ranks, and take a device: the GPU of this rank's number, else a share of the cores."""
    hvd.init()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        mine = gpus[hvd.local_rank() % len(gpus)]  # a Spark executor may see its own GPU alone
        tf.config.set_visible_devices(mine, "GPU")
        tf.config.experimental.set_memory_growth(mine, True)
    elif hvd.local_size() > 1:
        cores = len(os.sched_getaffinity(0))
        tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // hvd.local_size()))
    return Ranks(hvd.rank(), hvd.size())


def from_chief(value: T) -> T:
    """The chief's value, on every rank."""
    return hvd.broadcast_object(value, CHIEF) if hvd.size() > 1 else value


def gather(value: T) -> list[T]:
    """Every rank's value, by rank; on every rank."""
    return hvd.allgather_object(value) if hvd.size() > 1 else [value]


def broadcast(variables: Sequence[Any]) -> None:
    """Give every rank the chief's values."""
    for variable, value in zip(variables, from_chief([v.numpy() for v in variables]), strict=True):
        variable.assign(value)


def sum_over_ranks(tensors: Sequence[Any], compression: str = "none") -> list[Any]:
    """Each tensor's sum over all ranks, the same bits on every rank; usable in a tf.function.

    Sparse gradients become dense first: the item table is input (sparse) and output (dense), and gathering
    its slices from all ranks would cost more than the table. Under the compression fp16 they are rounded to
    half precision, added so, and widened again.
    """
    dense = [tf.convert_to_tensor(tensor) for tensor in tensors]
    if hvd.size() == 1:
        return dense
    return list(hvd.grouped_allreduce(dense, op=hvd.Sum, compression=COMPRESSIONS[compression]))


def sum_rows(gradient: tf.IndexedSlices, compression: str = "none") -> tf.IndexedSlices:
    """A gradient of some rows, summed over all ranks, each row once; usable in a tf.function."""
    values, rows = gradient.values, gradient.indices
    if hvd.size() > 1:
        values, dtype = COMPRESSIONS[compression].compress(values)
        values = COMPRESSIONS[compression].decompress(hvd.allgather(values), dtype)
        rows = hvd.allgather(rows)
    touched, place = tf.unique(rows)
    return tf.IndexedSlices(tf.math.unsorted_segment_sum(values, place, tf.size(touched)), touched)


def require_agreement(variables: Sequence[Any]) -> None:
    """Stop unless all ranks hold the same weights, to the bit.

    Raises
    ------
    LstmrecError
        Naming the ranks that differ from the chief.
    """
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(variable.numpy().tobytes())
    digests = gather(digest.hexdigest())
    strays = [rank for rank, other in enumerate(digests) if other != digests[CHIEF]]
    if strays:
        raise LstmrecError(
            f"training: ranks {strays} ended with other weights than the chief; train on hosts of one kind"
        )


def launch(spec: TrainingSpec, spark: Any = None) -> TrainingResult:
    """Train on `training.processes` ranks and return what the chief reports.

    One process trains right here. More are tasks of `spark`'s executors (launcher spark), or processes of
    this machine (launcher horovodrun). Their lines appear in this process's log as they come.

    Raises
    ------
    LstmrecError
        If any rank fails; the others are ended.
    """
    training = spec.training
    # a rank may have another working folder
    start = spec.warm_start_uri and absolute(spec.warm_start_uri)
    spec = spec.model_copy(update={"artifact_uri": absolute(spec.artifact_uri), "warm_start_uri": start})
    log.info("training: %d processes, launcher %s", training.processes, training.launcher)
    if training.processes == 1:
        return _train(spec)
    if training.launcher == "horovodrun":
        return _launch_here(spec)
    if spark is None:
        raise LstmrecError(
            "training.launcher is spark, but there is no Spark session; use launcher horovodrun"
        )
    return _launch_in_spark(spec)


def _launch_in_spark(spec: TrainingSpec) -> TrainingResult:
    import horovod.spark

    relay = Relay(log)
    try:
        results = horovod.spark.run(
            train_rank,
            args=(spec.model_dump_json(),),
            num_proc=spec.training.processes,
            start_timeout=spec.training.start_timeout_seconds,
            env=dict(RANK_ENVIRONMENT),
            stdout=relay,
            stderr=relay,
            verbose=0,
        )
    except Exception as error:  # Horovod raises bare Exception and RuntimeError alike
        raise LstmrecError(relay.failure or f"training: Horovod could not run in Spark: {error}") from error
    return TrainingResult.model_validate_json(results[CHIEF])


def _launch_here(spec: TrainingSpec) -> TrainingResult:
    with tempfile.TemporaryDirectory(prefix="lstmrec-train-") as folder:
        order, answer = Path(folder, "spec.json"), Path(folder, "result.json")
        order.write_text(spec.model_dump_json())
        launcher = [
            sys.executable,
            "-m",
            "horovod.runner.launch",
            "--gloo",
            "-np",
            str(spec.training.processes),
        ]
        launcher += ["--start-timeout", str(spec.training.start_timeout_seconds)]
        rank = [sys.executable, "-m", "lstmrec.learn.distributed", str(order), str(answer)]
        relay = Relay(log)
        with subprocess.Popen(
            [*launcher, *rank],
            env=os.environ | RANK_ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            for line in running.stdout or ():
                relay.write(line)
        if running.returncode or not answer.exists():
            raise LstmrecError(
                relay.failure
                or f"training: a rank was lost without a word (horovodrun ended with code "
                f"{running.returncode}): killed, for memory perhaps? Run it again: it goes on after its last "
                f"checkpoint"
            )
        return TrainingResult.model_validate_json(answer.read_text())


def train_rank(spec: str) -> str:
    """Train as one rank of a launcher: JSON in, JSON out. A failure is told in one line and raised."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s", force=True)
    try:
        return _train(TrainingSpec.model_validate_json(spec)).model_dump_json()
    except Exception as error:
        if not is_left_behind(error):  # else another rank has the reason
            print(failure_line(os.environ.get("HOROVOD_RANK", "0"), error), flush=True)
        raise


def is_left_behind(error: BaseException) -> bool:
    """Whether a rank failed only because another rank is gone."""
    return any(mark in str(error) for mark in LEFT_BEHIND)


def _train(spec: TrainingSpec) -> TrainingResult:
    from lstmrec.learn.fit import fit

    return fit(spec)


def main(argv: Sequence[str]) -> None:
    """A rank of horovodrun: the spec's file in, the chief's answer to a file."""
    order, answer = map(Path, argv)
    result = train_rank(order.read_text())
    if hvd.rank() == CHIEF:
        answer.write_text(result)


if __name__ == "__main__":
    main(sys.argv[1:])
