"""Baselines of leave-one-out, ranked by the code that ranks the model; ties count against them, too.

What a baseline may choose is chosen by validation NDCG@10 on what the train split holds. Then it learns from
train and validation, as the final models do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.sparse import coo_matrix

from lstmrec import baselines
from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.prepare.splits import TEST, TRAIN, TRAIN_AND_VALIDATION, VALIDATION
from lstmrec.rank.scorers import LastItemNeighbours, Scorer
from tests.benchmarks import quality

WINDOWS: Final = (1, 3, 5, 10)
DAMPINGS: Final = (0.0, 20.0, 100.0, 500.0)

Make = Callable[[DataFrame, float], Scorer]
"""What was learnt from, and the value of the one setting -> a baseline."""


@dataclass(frozen=True)
class Ground:
    """What all contenders learn from and are ranked on; `unit` is what is drawn for the intervals."""

    lake: Lake
    config: Config
    unit: Callable[[str], str]

    @cached_property
    def n_items(self) -> int:
        return self.lake.read(ITEM_INDEX).count()

    def rows(self, split: str) -> DataFrame:
        return self.lake.read(SEQUENCES).where(F.col(c.SPLIT) == split)

    def ranks(self, split: str, scorer: Scorer) -> dict[str, int]:
        return quality.ranks_by_id(self.rows(split), scorer, self.n_items, self.config)

    def told(
        self, chosen: Mapping[str, float], validation: quality.RanksOfSeeds, test: quality.RanksOfSeeds
    ) -> dict[str, Any]:
        """A contender's settings and figures."""
        figures = {
            split: quality.summary(ranks, self.config, self.unit)
            for split, ranks in (("validation", validation), ("test", test))
        }
        return {"chosen": chosen, **figures}


def figures(ground: Ground) -> dict[str, Any]:
    """Popularity, last-item co-visitation and item-kNN; they draw nothing, so the one seed is called 0."""
    n_items, neighbours = ground.n_items, ground.config.evaluation.covisitation_neighbours

    def popularity(learnt: DataFrame, _: float) -> Scorer:
        counts = baselines.popularity_counts(baselines.item_popularity(learnt), n_items)
        return baselines.popularity_scorer(counts)

    def covisitation(learnt: DataFrame, window: float) -> Scorer:
        pairs = baselines.covisitation(learnt, int(window), neighbours)
        return baselines.neighbour_scorer(pairs, n_items)

    def item_knn(learnt: DataFrame, damping: float) -> Scorer:
        return item_neighbours(learnt, n_items, damping)

    tried: dict[str, tuple[Make, str, tuple[float, ...]]] = {
        "popularity": (popularity, "none", (0,)),
        "last_item_covisitation": (covisitation, "window", WINDOWS),
        "item_knn": (item_knn, "damping", DAMPINGS),
    }
    return {name: _chosen(ground, *how) for name, how in tried.items()}


def item_neighbours(learnt: DataFrame, n_items: int, damping: float) -> LastItemNeighbours:
    """Item-kNN by the last item: histories with both, over the root of the product of each one's.

    Each one's are raised by `damping`, so that pairs of rare items do not win by chance.
    """
    items = F.explode(F.slice(c.ITEMS, 1, F.col(c.LENGTH))).alias(c.ITEM_INDEX)
    held = learnt.select(c.SEQUENCE_ID, items).distinct().toPandas()  # windows overlap
    histories, _ = pd.factorize(held[c.SEQUENCE_ID])
    shape = (histories.max() + 1, n_items + 1)
    holds = coo_matrix((np.ones(len(held)), (histories, held[c.ITEM_INDEX])), shape).tocsr()
    damped = np.asarray(holds.sum(axis=0)).ravel() + damping
    both = (holds.T @ holds).tocoo()
    likeness = np.where(both.row == both.col, 0, both.data / np.sqrt(damped[both.row] * damped[both.col]))
    of_item = coo_matrix((likeness.astype(np.float32), (both.row, both.col)), both.shape).tocsr()
    return LastItemNeighbours(of_item.indptr.astype(np.int64), of_item.indices, of_item.data, n_items)


def _chosen(ground: Ground, make: Make, setting: str, values: tuple[float, ...]) -> dict[str, Any]:
    """The baseline by the value that validation likes best."""
    learnt = ground.rows(TRAIN)
    by_value = {value: ground.ranks(VALIDATION, make(learnt, value)) for value in values}
    best = max(values, key=lambda value: quality.figures_of(list(by_value[value].values()))["ndcg@10"])
    test = ground.ranks(TEST, make(ground.rows(TRAIN_AND_VALIDATION), best))
    return ground.told({setting: best} if len(values) > 1 else {}, {0: by_value[best]}, {0: test})
