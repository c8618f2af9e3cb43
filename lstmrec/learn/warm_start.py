"""The weights of an earlier model as the start of a new one: items that it knew keep their rows."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from lstmrec.errors import BadArtifact
from lstmrec.learn import artifact
from lstmrec.learn.artifact import Manifest
from lstmrec.learn.model import NextItemModel, build
from lstmrec.learn.spec import TrainingSpec
from lstmrec.recipe import ModelConfig

DROPOUTS: Final = {"embedding_dropout", "dropout"}
"""Keys of `model` that have no weights: a warm start may change them."""

REMEDY: Final = "set training.warm_start to none"


def take_over(model: NextItemModel, spec: TrainingSpec, item_ids: Sequence[str], weights: str) -> None:
    """Give `model` the weights file `weights` of the artifact that `spec` starts from.

    Rows are found by item id and by event type, whatever their index was; a new item's row, and that of a
    new event type, stay as they are. `item_ids` are by item index, "" at PAD.

    Raises
    ------
    BadArtifact
        If the artifact has no such file, or its model is of another make.
    """
    uri = str(spec.warm_start_uri)
    manifest = artifact.read_manifest(uri)
    former = _former(uri, manifest, spec.model, weights)
    items = _places(item_ids, json.loads(artifact.read_file(uri, artifact.ITEM_IDS, manifest)))
    types = _places(["", *spec.record.event_types], ["", *manifest.event_types])
    by_row = {id(model.item_table.embeddings): items, id(model.item_bias): items}
    if model.type_table is not None:
        by_row[id(model.type_table.embeddings)] = types
    for new, old in zip(model.weights, former.weights, strict=True):
        if id(new) in by_row:
            to, came_from = by_row[id(new)]
            rows = new.numpy()
            rows[to] = old.numpy()[came_from]
            new.assign(rows)
        else:
            new.assign(old)


def _former(uri: str, manifest: Manifest, wanted: ModelConfig, weights: str) -> NextItemModel:
    try:
        config = ModelConfig(**manifest.config["model"])
    except (KeyError, TypeError, ValidationError):
        raise BadArtifact(f"{uri}: was made with settings that this code does not know; {REMEDY}") from None
    make = ModelConfig.model_fields.keys() - DROPOUTS
    differing = sorted(key for key in make if getattr(config, key) != getattr(wanted, key))
    if differing:
        told = ", ".join(f"model.{key} {getattr(config, key)}" for key in differing)
        raise BadArtifact(f"{uri}: cannot be the start of another kind of model: it has {told}; {REMEDY}")
    former = build(manifest.n_items, len(manifest.event_types), config)
    with tempfile.TemporaryDirectory(prefix="lstmrec-start-") as folder:
        file = Path(folder, artifact.WEIGHTS)
        file.write_bytes(artifact.read_file(uri, weights, manifest))
        former.load_weights(file)
    return former


def _places(new: Sequence[str], old: Sequence[str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where in `new` the names are that `old` has, too, and where they are there. PAD is "" in both."""
    place = {name: index for index, name in enumerate(old)}
    to = [index for index, name in enumerate(new) if name in place]
    return np.array(to, np.intp), np.array([place[new[index]] for index in to], np.intp)
