"""Small `sequences` and `item_index` tables as Parquet files, laid out as the lake writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lstmrec.learn.artifact import ModelRecord
from lstmrec.learn.spec import DataFile, EpochRecord, TrainingResult, TrainingSpec
from lstmrec.recipe import ModelConfig, TrainingConfig

INTS = pa.list_(pa.int32())
SCHEMA = pa.schema(
    [
        ("sequence_id", pa.string()),
        ("user_id", pa.string()),
        ("window", pa.int32()),
        ("items", INTS),
        ("types", INTS),
        ("gaps", INTS),
        ("length", pa.int32()),
        ("target", pa.int32()),
        ("seen", INTS),
    ]
)
ONE_MINUTE = 7  # gap id: 2 + floor(log2(1 + 60))


def row(number: int, items: Sequence[int], target: int = 0, window: int = 0) -> dict[str, Any]:
    return {
        "sequence_id": f"user-{number}",
        "user_id": f"user-{number}",
        "window": window,
        "items": list(items),
        "types": [1] * len(items),
        "gaps": [1] + [ONE_MINUTE] * (len(items) - 1),
        "length": len(items),
        "target": target,
        "seen": list(items) if target else [],
    }


def write_split(
    root: Path, split: str, rows: Sequence[dict[str, Any]], lengths: Sequence[int], groups: int = 4
) -> tuple[DataFile, ...]:
    """One file a row group, at most `groups` a padded length; the first ones are the larger, if any."""
    files = []
    for length, shorter in zip(lengths, [0, *lengths], strict=False):
        mine = [r for r in rows if shorter < r["length"] <= length]
        folder = root / f"split={split}" / f"padded_length={length}"
        for part, chosen in enumerate(np.array_split(np.arange(len(mine)), min(groups, len(mine)) or 1)):
            if not len(chosen):
                continue
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"part-{part:05d}-5c1e.c000.snappy.parquet"
            padded = [_padded(mine[i], length) for i in chosen]
            pq.write_table(pa.Table.from_pylist(padded, SCHEMA), path)
            files.append(DataFile(uri=path.as_uri(), padded_length=length, rows=len(padded)))
    return tuple(files)


def _padded(r: dict[str, Any], length: int) -> dict[str, Any]:
    return r | {name: r[name] + [0] * (length - r["length"]) for name in ("items", "types", "gaps")}


def write_index(root: Path, n_items: int) -> tuple[str, ...]:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "part-00000-77aa.c000.snappy.parquet"
    indices = np.arange(n_items, 0, -1)
    table = pa.table({"item_id": [f"i{i}" for i in indices], "item_index": pa.array(indices, pa.int32())})
    pq.write_table(table, path)
    return (path.as_uri(),)


def leave_one_out(histories: Sequence[Sequence[int]], max_length: int) -> tuple[list[Any], list[Any]]:
    """Rows of the splits train (windows that overlap by one item) and validation."""
    train, validation = [], []
    for number, history in enumerate(histories):
        train += windows(number, history[:-2], max_length)
        validation.append(row(number, history[:-2][-max_length:], target=history[-2]))
    return train, validation


def windows(number: int, known: Sequence[int], max_length: int) -> list[Any]:
    starts = range(0, max(1, len(known) - 1), max_length - 1)
    return [row(number, known[s : s + max_length], window=w) for w, s in enumerate(starts)]


def model_config(**changes: Any) -> ModelConfig:
    small = {
        "width": 16,
        "layers": 1,
        "embedding_dropout": 0.0,
        "dropout": 0.0,
        "use_event_types": True,
        "use_gaps": True,
        "use_item_attributes": False,
        "item_attributes": ["categories"],
    }
    return ModelConfig(**(small | changes))


def training_config(**changes: Any) -> TrainingConfig:
    quick = {
        "launcher": "horovodrun",
        "processes": 1,
        "batch_size": 32,
        "compression": "none",
        "precision": "float32",
        "learning_rate": 0.01,
        "warmup_epochs": 0.5,
        "weight_decay": 0.0,
        "gradient_clip": 1.0,
        "loss": "full",
        "full_up_to_items": 1000,
        "label_smoothing": 0.0,
        "later_items": 0.0,
        "negatives": 16,
        "negatives_alpha": 0.5,
        "bpr_max_penalty": 1.0,
        "average_epochs": 0.5,
        "max_epochs": 8,
        "seen_items": "left_out",
        "learn_from": "train",
        "patience": 3,
        "warm_start": "none",
        "checkpoint_epochs": 1,
        "start_timeout_seconds": 60,
        "seed": 7,
        "artifacts": "unused",
    }
    return TrainingConfig(**(quick | changes))


def record(**changes: Any) -> ModelRecord:
    made_of = {
        "model_version": "m1",
        "run_date": "2026-01-31",
        "item_index_version": 3,
        "item_index_fingerprint": "a" * 64,
        "table_versions": {"sequences": 5, "item_index": 3},
        "event_types": ["view"],
        "code_version": "0.1.0",
        "config": {},
    }
    return ModelRecord(**(made_of | changes))


def spec(
    root: Path,
    histories: Sequence[Sequence[int]],
    n_items: int,
    *,
    lengths: Sequence[int] = (8, 16),
    groups: int = 4,
    model: ModelConfig | None = None,
    training: TrainingConfig | None = None,
) -> TrainingSpec:
    """A training run on these histories of item indices, oldest first."""
    train, validation = leave_one_out(histories, lengths[-1])
    both = [w for number, history in enumerate(histories) for w in windows(number, history[:-1], lengths[-1])]
    return TrainingSpec(
        train=write_split(root, "train", train, lengths, groups),
        validation=write_split(root, "validation", validation, lengths, groups),
        train_and_validation=write_split(root, "train_and_validation", both, lengths, groups),
        item_index=write_index(root / "item_index", n_items),
        n_items=n_items,
        model=model or model_config(),
        training=training or training_config(),
        artifact_uri=str(root / "artifact"),
        record=record(),
    )


def result_of(order: TrainingSpec, epoch: EpochRecord) -> TrainingResult:
    """What a training of one step and one epoch reports."""
    return TrainingResult(
        artifact_uri=order.artifact_uri,
        processes=1,
        steps_per_epoch=1,
        best=epoch,
        history=(epoch,),
        seconds=epoch.seconds,
    )
