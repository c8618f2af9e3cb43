"""Two steps of a rank on its rows of a fixed batch, by several settings; the chief saves what came out.

Alone or by horovodrun.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lstmrec.learn import distributed
from lstmrec.learn.item_attributes import numbered
from lstmrec.learn.losses import loss_of
from lstmrec.learn.model import build
from lstmrec.learn.trainer import Trainer
from tests.learn.tables import model_config, training_config


def batch(padded: int) -> tuple[np.ndarray, ...]:
    """Eight histories of quite different lengths: the ranks' halves have 13 and 4 targets."""
    rng = np.random.default_rng(5)
    length = np.array([6, 5, 4, 2, 2, 1, 3, 2], np.int32)
    real = np.arange(padded) < length[:, None]
    items = np.where(real, rng.integers(1, 21, (8, padded)), 0).astype(np.int32)
    return items, real.astype(np.int32), real.astype(np.int32), length, np.zeros(8, np.int32)


SETTINGS: dict[str, dict[str, str]] = {
    "full": {},
    "full in half precision": {"compression": "fp16"},
    "sampled in 16 bits": {"compression": "fp16", "loss": "sampled", "precision": "mixed_bfloat16"},
}


def counts() -> np.ndarray:
    return np.ones(21, np.int64)


def two_steps(ranks: distributed.Ranks, settings: dict[str, str]) -> dict[str, np.ndarray]:
    """Totals of two steps on two padded lengths, the weights after them, and how often it was traced."""
    keras.utils.set_random_seed(ranks.rank)
    attributes = numbered({item: {str(item % 3), str(item % 4)} for item in range(1, 18)}, 21)
    model = build(20, 1, model_config(use_item_attributes=True), attributes)
    distributed.broadcast(model.weights)
    config = training_config(warmup_epochs=0, gradient_clip=0.5, **settings)
    trainer = Trainer(model, config, loss_of(config, 20, counts), steps_per_epoch=4)
    rows = np.array_split(np.arange(8), ranks.size)[ranks.rank]
    totals = [trainer.step(*(column[rows] for column in batch(padded))).numpy() for padded in (6, 9)]
    distributed.require_agreement(model.weights)
    weights = {f"w{i}": w for i, w in enumerate(model.get_weights())}
    traces = np.array(trainer.step.experimental_get_tracing_count())
    return weights | {"totals": np.stack(totals), "traces": traces}


def rows_summed(ranks: distributed.Ranks) -> np.ndarray:
    """Rows 4, 2 and 4 again of a table of five, with 1, 2 and 3; each rank's times its number from 1 on."""
    mine = tf.constant([[1.0], [2.0], [3.0]]) * (ranks.rank + 1)
    summed = distributed.sum_rows(tf.IndexedSlices(mine, tf.constant([4, 2, 4])))
    return np.stack([summed.indices.numpy(), summed.values.numpy()[:, 0]])


def main(folder: str) -> None:
    ranks = distributed.start()
    made = {name: two_steps(ranks, settings) for name, settings in SETTINGS.items()}
    made["rows"] = {"summed": rows_summed(ranks)}
    if ranks.is_chief:
        for name, arrays in made.items():
            np.savez(Path(folder, f"{name}.npz"), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
