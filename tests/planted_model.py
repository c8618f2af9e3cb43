"""A model whose every score can be worked out by hand, as a real artifact with a real ONNX encoder.

The score of item j is bias[j] plus, for each event of the history, affinity[i][j] x type x gap of
the event's item i. So it shows when types or gaps no longer stand beside their items.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from pyspark.sql import DataFrame, SparkSession

from lstmrec.learn import artifact
from tests.learn.tables import record

Affinity = Mapping[int, Mapping[int, float]]

N_ITEMS = 6
AFFINITY = {1: {2: 3.0, 3: 3.0, 4: 1.0}, 2: {3: 2.0}}
BIAS = {6: 0.5}


@dataclass
class User:
    """One history; type and gap of each event are 1 where not given, and seen is its items."""

    name: str
    items: list[int]
    types: list[int] | None = None
    gaps: list[int] | None = None
    seen: list[int] | None = None
    padding: int = 0
    target: int = 0
    segment: str | None = None

    @property
    def events(self) -> list[tuple[int, int, int]]:
        ones = [1] * len(self.items)
        return list(zip(self.items, self.types or ones, self.gaps or ones, strict=True))

    @property
    def had(self) -> set[int]:
        return set(self.items if self.seen is None else self.seen)


def slow_scores(user: User) -> dict[int, float]:
    """Score by item, of items that the user has not seen; none where the model knows no event."""
    known = [(item, kind, gap) for item, kind, gap in user.events if item <= N_ITEMS]
    if not known:
        return {}
    return {
        j: BIAS.get(j, 0.0)
        + sum(AFFINITY.get(item, {}).get(j, 0.0) * kind * gap for item, kind, gap in known)
        for j in range(1, N_ITEMS + 1)
        if j not in user.had
    }


def crowd() -> list[User]:
    """Histories of all lengths, with old and new items, seen more and less, padded by chance."""
    rng = np.random.default_rng(4)
    users = []
    for number in range(50):
        size = int(rng.integers(0, 6))
        items = rng.integers(1, 9, size).tolist()
        seen = sorted({*items, *rng.choice(10, size=int(rng.integers(0, 6)), replace=False).tolist()} - {0})
        unseen = [j for j in range(1, 9) if j not in seen]
        users.append(
            User(
                f"user-{number}",
                items,
                types=rng.integers(1, 3, size).tolist(),
                gaps=rng.integers(1, 4, size).tolist(),
                seen=seen,
                padding=int(rng.integers(0, 4)),
                target=int(rng.choice(unseen)),
            )
        )
    return users


def frame(spark: SparkSession, *users: User) -> DataFrame:
    rows = []
    for user in users:
        padding = [0] * user.padding
        items, types, gaps = ([event[n] for event in user.events] + padding for n in range(3))
        rows.append(
            (
                *(user.name, user.name, items, types, gaps, len(user.items), sorted(user.had), user.target),
                user.segment,
            )
        )
    kinds = "items array<int>, types array<int>, gaps array<int>, length int, seen array<int>"
    kinds += ", target int, segment string"
    return spark.createDataFrame(rows, f"sequence_id string, user_id string, {kinds}").coalesce(1)


def publish(
    root: Path, affinity: Affinity, bias: Mapping[int, float], n_items: int, fingerprint: str = "f"
) -> str:
    folder = root / "folder"
    folder.mkdir()
    (folder / artifact.ENCODER).write_bytes(_encoder(n_items).SerializeToString())
    (folder / artifact.WEIGHTS).write_bytes(b"of no use to scoring")
    (folder / artifact.METRICS).write_text("{}")
    (folder / artifact.ITEM_IDS).write_text(json.dumps(["", *(f"i{j}" for j in range(1, n_items + 1))]))
    matrix = np.zeros((n_items + 1, n_items + 1), np.float32)
    for i, others in affinity.items():
        for j, weight in others.items():
            matrix[j, i] = weight
    np.save(folder / artifact.ITEM_MATRIX, matrix)
    biases = [-np.inf, *(bias.get(j, 0.0) for j in range(1, n_items + 1))]
    np.save(folder / artifact.ITEM_BIAS, np.array(biases, np.float32))
    made_of = record(event_types=["buy", "view"], item_index_fingerprint=fingerprint)
    uri = str(root / "artifact")
    artifact.publish(folder, made_of, {}, uri)
    return uri


def _encoder(n_items: int) -> onnx.ModelProto:
    """The sum over a history of one-hot items, each times its type and gap; padding has neither."""
    inputs = [
        helper.make_tensor_value_info(n, TensorProto.INT32, ["b", "l"]) for n in ("items", "types", "gaps")
    ]
    nodes = [
        helper.make_node("Gather", ["one_hot", "items"], ["events"]),
        helper.make_node("Mul", ["types", "gaps"], ["weights"]),
        helper.make_node("Cast", ["weights"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "last"], ["column"]),
        helper.make_node("Mul", ["events", "column"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "middle"], ["vector"], keepdims=0),
    ]
    constants = {
        "one_hot": np.eye(n_items + 1, dtype=np.float32),
        "last": np.array([2]),
        "middle": np.array([1]),
    }
    graph = helper.make_graph(
        nodes,
        "planted",
        inputs,
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["b", n_items + 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
