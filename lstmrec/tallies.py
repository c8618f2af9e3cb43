"""Sums over judged lists, by Spark: what metrics are made of, and no larger for more users.

`judged` has a row per held-out history: sequence_id, slices, and by contender in a fixed order its ranks
and lists. What comes to the driver grows with slices, contenders, items and Spark's partitions alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.columns import PAD
from lstmrec.rank import list_metrics
from lstmrec.rank.list_metrics import Catalogue

CONTENDER: Final = "contender"
COLUMN: Final = "column"
N_USERS: Final = "n_users"
SUMS: Final = (N_USERS, "total", "squares")

_LIST_SUMS: Final = (
    f"{c.SLICE} string, {CONTENDER} int, {COLUMN} int, {N_USERS} long, total double, squares double"
)


def rank_counts(judged: DataFrame, n: int) -> pd.DataFrame:
    """slice, contender, first, own, n_users: how many have their target at both ranks, of two contenders.

    `first` is the rank by contender 0, `own` that by the contender; all ranks beyond `n` count as n + 1.
    """

    def within(rank: Column) -> Column:
        return F.least(rank, F.lit(n + 1))

    ranks = judged.select(
        F.explode(c.SLICES).alias(c.SLICE),
        within(F.get(c.RANKS, F.lit(0))).alias("first"),
        F.posexplode(c.RANKS).alias(CONTENDER, "own"),
    ).withColumn("own", within(F.col("own")))
    keys = [c.SLICE, CONTENDER, "first", "own"]
    counted = ranks.groupBy(*keys).agg(F.count(F.lit(1)).alias(N_USERS)).toPandas()
    return counted.sort_values(keys, ignore_index=True)  # a bootstrap draws in this order


def item_counts(judged: DataFrame, ks: Sequence[int]) -> pd.DataFrame:
    """contender, item_index, and for each k how many lists have the item among their first k, in at_<k>."""
    lists = judged.select(F.posexplode(c.LISTS).alias(CONTENDER, "list"))
    places = lists.select(CONTENDER, F.posexplode("list").alias("place", c.ITEM_INDEX))
    among = (F.count_if(F.col("place") < k).alias(f"at_{k}") for k in ks)
    return places.where(F.col(c.ITEM_INDEX) != PAD).groupBy(CONTENDER, c.ITEM_INDEX).agg(*among).toPandas()


def list_sums(
    judged: DataFrame, contenders: int, known: Catalogue, ks: Sequence[int], partitions: int
) -> pd.DataFrame:
    """Number, total and total of squares of the values of each metric of lists, by slice, contender, column.

    `column` is the place in `list_metrics.names(ks)`. Users come to a task by their id and are summed in
    its order, and the tasks in theirs: a rerun has the same last digit.
    """
    shared = judged.sparkSession.sparkContext.broadcast(known)

    def sums(chunks: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        summed = _Sums(contenders, shared.value, ks)
        for chunk in chunks:
            for start in range(0, len(chunk), shared.value.lists_at_once):
                summed.add(chunk.iloc[start : start + shared.value.lists_at_once])
        yield summed.rows()

    placed = judged.repartition(partitions, c.SEQUENCE_ID).sortWithinPartitions(c.SEQUENCE_ID)
    by_task = placed.mapInPandas(sums, _LIST_SUMS).withColumn("_task", F.spark_partition_id()).toPandas()
    keys = [c.SLICE, CONTENDER, COLUMN]
    return by_task.sort_values([*keys, "_task"]).groupby(keys, as_index=False)[list(SUMS)].sum()


class _Sums:
    """The sums of one task: float64 [3, contenders, columns] by slice."""

    def __init__(self, contenders: int, known: Catalogue, ks: Sequence[int]) -> None:
        self._contenders = contenders
        self._known = known
        self._ks = ks
        self._by_slice: dict[str, npt.NDArray[np.float64]] = {}

    def add(self, rows: pd.DataFrame) -> None:
        ranks = np.stack(rows[c.RANKS].to_list()).astype(np.int64)
        lists = np.stack([np.stack(own) for own in rows[c.LISTS]]).astype(np.int64)
        each = [
            list_metrics.values(lists[:, number], ranks[:, number], self._known, self._ks)
            for number in range(self._contenders)
        ]
        values = np.stack(each, axis=1)
        there = ~np.isnan(values)
        values = np.where(there, values, 0)

        row_of = np.repeat(np.arange(len(rows)), rows[c.SLICES].str.len())
        slice_of = np.concatenate(rows[c.SLICES].to_list()).astype(str)
        for name in np.unique(slice_of).tolist():
            own = row_of[slice_of == name]
            added = np.stack([part[own].sum(axis=0) for part in (there, values, values**2)])
            self._by_slice[name] = self._by_slice.get(name, 0) + added

    def rows(self) -> pd.DataFrame:
        """The sums as rows, of those metrics of which a list had a value."""
        parts = [pd.DataFrame({name: [] for name in (c.SLICE, CONTENDER, COLUMN, *SUMS)})]
        for name, sums in self._by_slice.items():
            contender, column = np.nonzero(sums[0])
            of_each = dict(zip(SUMS, sums[:, contender, column], strict=True))
            parts.append(pd.DataFrame({c.SLICE: name, CONTENDER: contender, COLUMN: column, **of_each}))
        return pd.concat(parts).astype({CONTENDER: int, COLUMN: int, N_USERS: int})
