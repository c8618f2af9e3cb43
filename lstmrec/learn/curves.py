"""A training's curves for TensorBoard, in the folder `tensorboard` beside the artifact.

tensorboard --logdir var/artifacts/tensorboard      every model a run, or two: choose, final
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow.fs as pafs
import tensorflow as tf

from lstmrec.errors import BadInput
from lstmrec.learn.spec import EpochRecord, TrainingSpec
from lstmrec.learn.storage import beside, child, open_store

FOLDER: Final = "tensorboard"
EVENTS: Final = "events.out.tfevents.0"


def write(history: Sequence[EpochRecord], spec: TrainingSpec, stage: str) -> None:
    """Write all epochs of the stage so far, in place of what was there.

    Whole each time: a training that goes on after it was killed has one log, and any store will do.
    """
    uri = child(beside(spec.artifact_uri, FOLDER), stage)
    store, path = open_store(uri)
    with tempfile.TemporaryDirectory(prefix="lstmrec-curves-") as folder:
        writer = tf.summary.create_file_writer(folder)
        with writer.as_default():
            for epoch in history:
                for name, value in epoch.model_dump(exclude={"epoch"}, exclude_none=True).items():
                    tf.summary.scalar(name, value, step=epoch.epoch)
        writer.close()
        (events,) = Path(folder).iterdir()
        try:
            store.create_dir(path, recursive=True)
            pafs.copy_files(
                str(events),
                child(path, EVENTS),
                source_filesystem=pafs.LocalFileSystem(),
                destination_filesystem=store,
            )
        except OSError as error:
            raise BadInput(f"{uri}: cannot be written ({error}); check training.artifacts") from None
