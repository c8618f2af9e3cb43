"""A rank of the training benchmark: epochs of the product's own steps, their rate, their wait for input.

python -m tests.benchmarks.train_rank spec.json measured.json 3      alone, or under horovodrun
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf

from lstmrec.learn import distributed
from lstmrec.learn.feed import Batch, Feed, Highest
from lstmrec.learn.losses import loss_of
from lstmrec.learn.model import build
from lstmrec.learn.negatives import Counts
from lstmrec.learn.spec import TrainingSpec
from lstmrec.learn.trainer import Trainer

PRODUCT: Final = 2048
"""Rows and columns of the products that say what the machine can do."""


class TimedFeed(Feed):
    """A feed that adds up how long its batches were waited for."""

    waited = 0.0

    def epoch(self, number: int) -> Iterator[Batch]:
        batches = super().epoch(number)
        while True:
            began = time.perf_counter()
            batch = next(batches, None)
            self.waited += time.perf_counter() - began
            if batch is None:
                return
            yield batch


def flops_a_second() -> float:
    """The rate of TensorFlow's large float32 products here: the best of five."""
    square = tf.random.normal((PRODUCT, PRODUCT))
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        tf.matmul(square, square).numpy()
        rates.append(2 * PRODUCT**3 / (time.perf_counter() - began))
    return max(rates)


def main(order: str, answer: str, epochs: int) -> None:
    ranks = distributed.start()
    tf.config.experimental.enable_op_determinism()
    spec = TrainingSpec.model_validate_json(Path(order).read_text())
    config = spec.training
    highest = Highest(spec.n_items, spec.n_event_types)
    rows = config.batch_size // ranks.size
    feed = TimedFeed(spec.train, ranks.rank, ranks.size, rows, highest, seed=config.seed)
    keras.utils.set_random_seed(config.seed + ranks.rank)
    model = build(spec.n_items, spec.n_event_types, spec.model)
    distributed.broadcast(model.weights)

    def counts() -> Counts:
        """Of the sampled losses alone; how often an item came does not change what a draw costs."""
        return np.ones(spec.n_items + 1, np.int64)

    trainer = Trainer(model, config, loss_of(config, spec.n_items, counts), feed.steps)
    trainer.learn(feed, 0)  # traced, and warm
    feed.waited = 0.0
    learnt = [trainer.learn(feed, epoch) for epoch in range(1, epochs + 1)]
    began = time.perf_counter()
    anew = Feed(spec.train, ranks.rank, ranks.size, rows, highest, seed=config.seed)
    alone = sum(len(batch.length) for batch in anew.batches(0))
    measured = {
        "events": learnt[0].events,
        "steps": feed.steps,
        "seconds": [epoch.seconds for epoch in learnt],
        "wait_share": feed.waited / sum(epoch.seconds for epoch in learnt),
        "feed_rows_per_s": alone / (time.perf_counter() - began),
        "rows": feed.rows,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "flops_per_s": flops_a_second(),
    }
    if ranks.is_chief:
        Path(answer).write_text(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
