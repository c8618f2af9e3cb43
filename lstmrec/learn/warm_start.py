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
from lstmrec.learn.item_attributes import of_nothing
from lstmrec.learn.model import NextItemModel, build
from lstmrec.learn.spec import TrainingSpec
from lstmrec.recipe import ModelConfig

FREE: Final = {"embedding_dropout", "dropout", "item_attributes"}
"""Keys of `model` that a warm start may change: weights have the same meaning, row by row."""

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
    if model.attribute_mean is not None and former.attribute_mean is not None:
        names = model.attribute_mean.names, former.attribute_mean.names
        by_row[id(model.attribute_mean.rows.embeddings)] = _places(*names)
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
    make = ModelConfig.model_fields.keys() - FREE
    differing = sorted(key for key in make if getattr(config, key) != getattr(wanted, key))
    if differing:
        told = ", ".join(f"model.{key} {getattr(config, key)}" for key in differing)
        raise BadArtifact(f"{uri}: cannot be the start of another kind of model: it has {told}; {REMEDY}")
    attributes = None
    if config.use_item_attributes:
        names = json.loads(artifact.read_file(uri, artifact.ATTRIBUTE_NAMES, manifest))
        attributes = of_nothing(names, manifest.n_items + 1)
    former = build(manifest.n_items, len(manifest.event_types), config, attributes)
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
