"""One trained model as one folder: what scoring needs, and nothing that runs when it is loaded.

    encoder.onnx        (items, types, gaps, length) -> vector of the history
    model.weights.h5    the Keras weights, for a later warm start
    chosen.weights.h5   those of the epoch that validation chose, which saw the train split alone; likewise.
                        Not there where the number of epochs was given
    item_matrix.npy     float32 [n_items + 1, width]; row 0 is PAD
    item_bias.npy       float32 [n_items + 1]; PAD has -inf, so that it is never ranked
    item_ids.json       item_id at each item index; "" at PAD
    attribute_names.json  item attributes, by their row in the weights; "" at that of none. Only of a model
                        that knows some: item_matrix and the encoder have them taken in
    metrics.json        the curves of the training, epoch by epoch: a TrainingResult (spec.py)
    manifest.json       what it was made of, and the checksum of every other file

The manifest goes away first and comes back last, so a folder that is being written cannot be loaded.
This file needs numpy, Arrow and onnxruntime alone: executors score without TensorFlow.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pyarrow.fs as pafs
from pydantic import BaseModel, ConfigDict, ValidationError

from lstmrec.columns import GAPS, ITEMS, LENGTH, TYPES
from lstmrec.errors import BadArtifact, BadInput
from lstmrec.learn.storage import child, open_store

FORMAT_VERSION: Final = 1
ENCODER: Final = "encoder.onnx"
WEIGHTS: Final = "model.weights.h5"
CHOSEN_WEIGHTS: Final = "chosen.weights.h5"
ITEM_MATRIX: Final = "item_matrix.npy"
ITEM_BIAS: Final = "item_bias.npy"
ITEM_IDS: Final = "item_ids.json"
ATTRIBUTE_NAMES: Final = "attribute_names.json"
METRICS: Final = "metrics.json"
MANIFEST: Final = "manifest.json"
FILES: Final = (ENCODER, WEIGHTS, ITEM_MATRIX, ITEM_BIAS, ITEM_IDS, METRICS)
NOT_IN_ALL: Final = (CHOSEN_WEIGHTS, ATTRIBUTE_NAMES)

_LIKE: Final = 1.25  # histories up to so many times as long as the shortest are encoded together,
_FEWEST_ROWS: Final = 8  # and so many in any case: of blocks of 170 and of 1,024 users, what was fastest

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


class ModelRecord(BaseModel):
    """What a model was made of, as the job that ordered the training knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_version: str
    run_date: date
    item_index_version: int
    item_index_fingerprint: str
    table_versions: dict[str, int]
    event_types: tuple[str, ...]
    """The event type at each event type index, from 1 on."""
    code_version: str
    started_from: str | None = None
    """The model version whose weights it began with."""
    config: dict[str, Any]


class Manifest(ModelRecord):
    """The record, and what the artifact's folder holds."""

    format_version: int
    n_items: int
    width: int
    metrics: dict[str, float]
    sha256: dict[str, str]


@dataclass(frozen=True)
class Artifact:
    """A loaded model: `encode` histories, then score items by vector . item_matrix + item_bias."""

    uri: str
    manifest: Manifest
    item_matrix: Floats
    """[n_items + 1, width], by item index; row 0 is PAD."""
    item_bias: Floats
    """[n_items + 1], by item index; -inf at PAD."""
    item_ids: npt.NDArray[np.object_]
    """item_id by item index; "" at PAD."""
    encoder: ort.InferenceSession

    def encode(self, items: Ints, types: Ints, gaps: Ints, length: Ints) -> Floats:
        """A vector a history, float32 [rows, width]. Histories are right-padded; none is empty.

        `length` counts the real positions of each.
        """
        self._require_known(items, self.manifest.n_items, "item")
        self._require_known(types, len(self.manifest.event_types), "event type")
        names = {wanted.name for wanted in self.encoder.get_inputs()}
        vectors = np.zeros((len(items), self.manifest.width), np.float32)
        for rows in _of_like_length(length):
            longest = int(length[rows].max())
            given = {ITEMS: items[rows, :longest], TYPES: types[rows, :longest], GAPS: gaps[rows, :longest]}
            given[LENGTH] = length[rows]
            inputs = {name: np.ascontiguousarray(given[name], np.int32) for name in names}
            vectors[rows] = self.encoder.run(None, inputs)[0]
        return vectors

    def require_index(self, fingerprint: str) -> None:
        """Stop unless the model's item index is the one of `fingerprint`: other indices mean other items."""
        made_with = self.manifest.item_index_fingerprint
        if made_with != fingerprint:
            raise BadArtifact(
                f"{self.uri}: made with another item index (its fingerprint {made_with[:12]}, "
                f"the lake's {fingerprint[:12]}); train a model on this lake"
            )

    def _require_known(self, indices: Ints, highest: int, what: str) -> None:
        top = int(indices.max(initial=0))
        if top > highest:
            raise BadArtifact(
                f"{self.uri}: knows {what} indices up to {highest}, a history names {top}; "
                f"train a model on the newer data, or leave newer ones out of the histories"
            )


def publish(folder: Path, record: ModelRecord, metrics: Mapping[str, float], uri: str) -> Manifest:
    """Put the files of the local `folder` and their manifest at `uri`, in place of a former artifact."""
    names = [*FILES, *(name for name in NOT_IN_ALL if (folder / name).exists())]
    matrix = np.load(folder / ITEM_MATRIX, mmap_mode="r", allow_pickle=False)
    manifest = Manifest(
        **record.model_dump(),
        format_version=FORMAT_VERSION,
        n_items=matrix.shape[0] - 1,
        width=matrix.shape[1],
        metrics=dict(metrics),
        sha256={name: _digest((folder / name).read_bytes()) for name in names},
    )
    store, path = open_store(uri)
    try:
        store.create_dir(path, recursive=True)
        if store.get_file_info(child(path, MANIFEST)).type != pafs.FileType.NotFound:
            store.delete_file(child(path, MANIFEST))
        for name in names:
            pafs.copy_files(
                child(str(folder), name),
                child(path, name),
                source_filesystem=pafs.LocalFileSystem(),
                destination_filesystem=store,
            )
        with store.open_output_stream(child(path, MANIFEST)) as out:
            out.write(manifest.model_dump_json(indent=2).encode())
    except OSError as error:
        raise BadInput(f"{uri}: the artifact cannot be written ({error}); check training.artifacts") from None
    return manifest


def load(uri: str, threads: int = 1) -> Artifact:
    """The artifact at `uri`; each file that scoring needs is as the manifest describes it.

    `threads` is for one call of the encoder; a Spark task has one core.

    Raises
    ------
    BadArtifact
        If a file is missing or altered, or the format is another one.
    """
    manifest = read_manifest(uri)
    read = {name: read_file(uri, name, manifest) for name in FILES if name != WEIGHTS}
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    artifact = Artifact(
        uri=uri,
        manifest=manifest,
        item_matrix=_array(read.pop(ITEM_MATRIX)),
        item_bias=_array(read.pop(ITEM_BIAS)),
        item_ids=np.array(json.loads(read.pop(ITEM_IDS)), dtype=object),
        encoder=ort.InferenceSession(read.pop(ENCODER), options, providers=["CPUExecutionProvider"]),
    )
    _require_shapes(artifact)
    return artifact


def read_manifest(uri: str) -> Manifest:
    """What the artifact at `uri` says of itself."""
    try:
        content = json.loads(_read(uri, MANIFEST))
        format_version = content.get("format_version")
        if format_version != FORMAT_VERSION:
            raise BadArtifact(
                f"{uri}: is of format {format_version}, this code reads {FORMAT_VERSION}; train a new model"
            )
        return Manifest(**content)
    except FileNotFoundError:
        raise BadArtifact(
            f"{uri}: has no {MANIFEST}: no model, or one half written; run train_model again"
        ) from None
    except (ValueError, AttributeError, ValidationError):
        raise BadArtifact(f"{uri}: {MANIFEST} is not a manifest; run train_model again") from None


def _of_like_length(length: Ints) -> Iterator[npt.NDArray[np.intp]]:
    """Rows to be encoded together: a step over padding costs what one over an event does."""
    order = np.argsort(length, kind="stable")
    ordered = length[order]
    start = 0
    while start < len(order):
        end = int(np.searchsorted(ordered, ordered[start] * _LIKE, side="right"))
        end = max(end, min(start + _FEWEST_ROWS, len(order)))
        yield order[start:end]
        start = end


def _read(uri: str, name: str) -> bytes:
    store, path = open_store(uri)
    with store.open_input_stream(child(path, name), compression=None) as stream:
        content: bytes = stream.read()
    return content


def read_file(uri: str, name: str, manifest: Manifest) -> bytes:
    """A file of the artifact at `uri`, as the manifest describes it."""
    try:
        content = _read(uri, name)
    except FileNotFoundError:
        raise BadArtifact(f"{uri}: {name} is missing; run train_model again") from None
    if _digest(content) != manifest.sha256.get(name):
        raise BadArtifact(f"{uri}: {name} is not the file its manifest describes; run train_model again")
    return content


def _require_shapes(artifact: Artifact) -> None:
    rows, width = artifact.manifest.n_items + 1, artifact.manifest.width
    shapes = artifact.item_matrix.shape, artifact.item_bias.shape, artifact.item_ids.shape
    if shapes != ((rows, width), (rows,), (rows,)):
        raise BadArtifact(
            f"{artifact.uri}: item files have shapes {shapes}, not {rows} rows each; run train_model again"
        )


def _array(content: bytes) -> Floats:
    array: Floats = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
