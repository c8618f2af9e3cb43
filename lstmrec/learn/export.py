"""From a trained model to its artifact: ONNX encoder, weights, item tables, checked before they count."""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.lib import ArrowException

from lstmrec.columns import GAP_BUCKETS, GAPS, ITEM_ID, ITEM_INDEX, ITEMS, LENGTH, PAD, TYPES
from lstmrec.errors import BadArtifact, BadInput, BrokenContract
from lstmrec.learn import artifact
from lstmrec.learn.model import NextItemModel, build, encoder
from lstmrec.learn.spec import TrainingResult, TrainingSpec
from lstmrec.learn.storage import open_store

TOLERANCE: Final = 1e-4
"""Largest difference between Keras's and ONNX's vectors, whose values are near 1: float32 and no more."""


def export(
    model: NextItemModel,
    spec: TrainingSpec,
    result: TrainingResult,
    item_ids: Sequence[str],
    chosen: NextItemModel | None = None,
) -> artifact.Manifest:
    """Write the artifact of `model` to the spec's URI. `item_ids` are by item index, "" at PAD.

    `chosen` is the model that validation chose, where it did: a later warm start begins there.

    Raises
    ------
    BadArtifact
        If the exported encoder does not give Keras's vectors.
    """
    with tempfile.TemporaryDirectory(prefix="lstmrec-artifact-") as name:
        folder = Path(name)
        _write_encoder(model, folder / artifact.ENCODER, spec)
        model.save_weights(folder / artifact.WEIGHTS)
        if chosen is not None:
            chosen.save_weights(folder / artifact.CHOSEN_WEIGHTS)
        bias = model.item_bias.numpy()
        bias[PAD] = -np.inf
        matrix = model.table().numpy()
        matrix[PAD] = 0
        np.save(folder / artifact.ITEM_MATRIX, matrix.astype(np.float32), allow_pickle=False)
        np.save(folder / artifact.ITEM_BIAS, bias.astype(np.float32), allow_pickle=False)
        (folder / artifact.ITEM_IDS).write_text(json.dumps(item_ids))
        if model.attribute_mean is not None:
            (folder / artifact.ATTRIBUTE_NAMES).write_text(json.dumps(model.attribute_mean.names))
        (folder / artifact.METRICS).write_text(result.model_dump_json(indent=2))
        best = result.best.model_dump(exclude={"seconds"}, exclude_none=True)
        metrics = best | {"training_seconds": result.seconds}
        return artifact.publish(folder, spec.record, metrics, spec.artifact_uri)


def _write_encoder(model: NextItemModel, path: Path, spec: TrainingSpec) -> None:
    sample = _sample(spec.n_items, spec.n_event_types)
    wanted = encoder(model)(sample).numpy()
    by_items_alone = encoder(_by_items_alone(model, spec))
    by_items_alone(sample)  # Keras exports no model that was never called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # tf2onnx asks numpy for names it dropped
        logging.getLogger("tf2onnx").setLevel(logging.WARNING)
        by_items_alone.export(str(path), format="onnx", verbose=False)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    named = dict(zip((ITEMS, TYPES, GAPS, LENGTH), sample, strict=True))
    got = session.run(None, {put.name: named[put.name] for put in session.get_inputs()})[0]
    error = float(np.abs(got - wanted).max())
    if not error <= TOLERANCE:
        raise BadArtifact(
            f"{spec.artifact_uri}: the ONNX encoder is {error:.1e} off Keras's, more than {TOLERANCE}; "
            f"nothing was written: check the versions of tf2onnx and onnxruntime"
        )


def _by_items_alone(model: NextItemModel, spec: TrainingSpec) -> NextItemModel:
    """A model of the same vectors whose item table has taken the attributes in: scoring looks none up."""
    if model.attribute_mean is None:
        return model
    alone = build(spec.n_items, spec.n_event_types, spec.model)
    of_attributes = {id(weight) for weight in model.attribute_mean.weights}
    alone.set_weights([weight.numpy() for weight in model.weights if id(weight) not in of_attributes])
    alone.item_table.embeddings.assign(model.table())
    return alone


def _sample(n_items: int, n_event_types: int) -> list[artifact.Ints]:
    """Histories of 1 to 16 events, right-padded to 16."""
    rng = np.random.default_rng(0)
    length = np.arange(1, 17, dtype=np.int32)
    real = np.arange(16) < length[:, None]
    highest = n_items, n_event_types, GAP_BUCKETS - 1
    columns = [np.where(real, rng.integers(1, top + 1, real.shape), PAD).astype(np.int32) for top in highest]
    return [*columns, length]


def read_item_ids(files: Sequence[str], n_items: int) -> list[str]:
    """item_id by item index, with "" at PAD, from the files of the pinned `item_index`."""
    tables = [_read_index(uri) for uri in files]
    rows = pa.concat_tables(tables).sort_by(ITEM_INDEX)
    if rows[ITEM_INDEX].to_pylist() != list(range(1, n_items + 1)):
        raise BrokenContract(
            f"item_index: its indices are not 1 to {n_items} once each; "
            f"run build_item_index and build_sequences again"
        )
    return ["", *rows[ITEM_ID].to_pylist()]


def _read_index(uri: str) -> Any:
    store, path = open_store(uri)
    try:
        return pq.ParquetFile(store.open_input_file(path)).read([ITEM_ID, ITEM_INDEX])
    except (OSError, ArrowException) as error:
        raise BadInput(f"{uri}: no readable item_index file ({' '.join(str(error).split())})") from None
