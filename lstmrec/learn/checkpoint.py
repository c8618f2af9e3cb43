"""A training's last whole epoch, kept beside the artifacts until the model is written.

A run that was killed goes on from there, and gives the model that it would have given: the file has the
weights, what the optimizer and the average remember, and where each rank is in its random numbers.
"""

import hashlib
import io
import logging
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.fs as pafs
from pydantic import TypeAdapter

from lstmrec.errors import BadArtifact, BadInput
from lstmrec.learn import distributed
from lstmrec.learn.distributed import Ranks
from lstmrec.learn.spec import NOT_OF_THE_MODEL, EpochRecord, TrainingSpec
from lstmrec.learn.storage import beside, child, open_store
from lstmrec.learn.trainer import Trainer

log = logging.getLogger(__name__)

Arrays = list[npt.NDArray[Any]]

FOLDER: Final = "checkpoints"
_HISTORY: Final = "history"
_STATE, _BEST, _SEEDS_OF_RANK = "state", "best", "seeds-{}"
_EPOCHS: Final = TypeAdapter(list[EpochRecord])


@dataclass
class Progress:
    """How far a training has come: its epochs, and the weights of the best of them by validation."""

    history: list[EpochRecord] = field(default_factory=list)
    best_weights: Arrays = field(default_factory=list)

    @property
    def best(self) -> EpochRecord:
        """The epoch of the highest NDCG@10, the first of equals."""
        return max(self.history, key=lambda epoch: epoch.ndcg_at_10 or 0.0)


class Checkpoints:
    """The checkpoint of one stage of a training; a file of other data, settings or ranks is left alone."""

    def __init__(self, spec: TrainingSpec, stage: str, ranks: Ranks) -> None:
        self._uri = _folder(spec)
        self._every = spec.training.checkpoint_epochs
        self._prefix = f"{stage}-{_key(spec)}-"
        self._ranks = ranks

    def resume(self, trainer: Trainer) -> Progress:
        """Put `trainer` back to the end of the last epoch kept, on all ranks; where none is, leave it new."""
        found = distributed.from_chief(self._read() if self._ranks.is_chief else None)
        if found is None:
            return Progress()
        _put(trainer.state, _unpack(found, _STATE))
        _put(trainer.seeds, _unpack(found, _SEEDS_OF_RANK.format(self._ranks.rank)))
        progress = Progress(_EPOCHS.validate_json(str(found[_HISTORY])), _unpack(found, _BEST))
        if self._ranks.is_chief:
            log.info("training goes on after epoch %d, from %s", len(progress.history), self._uri)
        return progress

    def keep(self, trainer: Trainer, progress: Progress) -> None:
        """Replace the last checkpoint, if it is time for one; all ranks call it."""
        epoch = len(progress.history)
        if not self._every or epoch % self._every:
            return
        seeds = distributed.gather([seed.numpy() for seed in trainer.seeds])
        if self._ranks.is_chief:
            arrays = _pack(_STATE, [variable.numpy() for variable in trainer.state])
            arrays |= _pack(_BEST, progress.best_weights)
            for rank, own in enumerate(seeds):
                arrays |= _pack(_SEEDS_OF_RANK.format(rank), own)
            arrays[_HISTORY] = np.array(_EPOCHS.dump_json(progress.history).decode())
            self._write(f"{self._prefix}{epoch:04d}.npz", arrays)

    def _write(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """A file under its name is whole: it is written under another one, then renamed."""
        store, path = open_store(self._uri)
        part = child(path, f"{name}.part")
        try:
            before = self._names(store, path)
            store.create_dir(path, recursive=True)
            with tempfile.TemporaryDirectory(prefix="lstmrec-checkpoint-") as folder:
                file = Path(folder, name)
                np.savez(file, **arrays)
                pafs.copy_files(
                    str(file), part, source_filesystem=pafs.LocalFileSystem(), destination_filesystem=store
                )
            store.move(part, child(path, name))
            for old in before:
                store.delete_file(child(path, old))
        except OSError as error:
            raise BadInput(
                f"{self._uri}: a checkpoint cannot be written ({error}); check training.artifacts, or set "
                f"training.checkpoint_epochs to 0"
            ) from None

    def _read(self) -> dict[str, npt.NDArray[Any]] | None:
        store, path = open_store(self._uri)
        names = self._names(store, path)
        if not names:
            return None
        try:
            with store.open_input_stream(child(path, names[-1]), compression=None) as stream:
                content = io.BytesIO(stream.read())
            with np.load(content, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise BadArtifact(
                f"{self._uri}/{names[-1]}: is no readable checkpoint ({error}); delete it, and the training "
                f"begins anew"
            ) from None

    def _names(self, store: pafs.FileSystem, path: str) -> list[str]:
        """The stage's files, oldest first."""
        found = store.get_file_info(pafs.FileSelector(path, allow_not_found=True))
        own = (file.base_name for file in found if file.base_name.startswith(self._prefix))
        return sorted(name for name in own if name.endswith(".npz"))


def remove(spec: TrainingSpec) -> None:
    """Forget all checkpoints of the model that `spec` orders."""
    store, path = open_store(_folder(spec))
    if store.get_file_info(path).type != pafs.FileType.NotFound:
        store.delete_dir(path)


def _folder(spec: TrainingSpec) -> str:
    return beside(spec.artifact_uri, FOLDER)


def _key(spec: TrainingSpec) -> str:
    """The same for two runs of the same training: the same files, settings and number of ranks."""
    made_of = spec.model_dump_json(exclude={"artifact_uri": True, "training": NOT_OF_THE_MODEL})
    return hashlib.sha256(made_of.encode()).hexdigest()[:12]


def _pack(name: str, arrays: Sequence[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {f"{name}.{number}": array for number, array in enumerate(arrays)}


def _unpack(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Arrays:
    count = sum(key.startswith(f"{name}.") for key in arrays)
    return [arrays[f"{name}.{number}"] for number in range(count)]


def _put(variables: Sequence[Any], values: Sequence[npt.NDArray[Any]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
