"""Popularity and co-visitation as Spark tables: the floor of the metrics, and the lists of cold users."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.prepare.lookup import lookup
from lstmrec.rank.scorers import LastItemNeighbours, Popularity


def item_popularity(train: DataFrame) -> DataFrame:
    """item_index, n_histories: in how many train histories an item is."""
    held = train.select(
        c.SEQUENCE_ID, F.explode(_real(c.ITEMS)).alias(c.ITEM_INDEX)
    ).distinct()  # windows overlap
    return held.groupBy(c.ITEM_INDEX).agg(F.count(F.lit(1)).alias("n_histories"))


def covisitation(train: DataFrame, window: int, neighbours: int) -> DataFrame:
    """item_index, neighbour, weight: how often `neighbour` came within `window` places after the item.

    The `neighbours` heaviest of each item; equal weights go to the lower index.
    """
    places = F.posexplode(_real(c.ITEMS)).alias("place", "item")
    steps = train.select(c.SEQUENCE_ID, c.WINDOW, places)
    first = steps.select(
        c.SEQUENCE_ID, c.WINDOW, F.col("place").alias("_from"), F.col("item").alias(c.ITEM_INDEX)
    )
    second = steps.select(
        c.SEQUENCE_ID, c.WINDOW, F.col("place").alias("_to"), F.col("item").alias("neighbour")
    )
    distance = F.col("_to") - F.col("_from")
    pairs = first.join(second, on=[c.SEQUENCE_ID, c.WINDOW], how="inner").where(
        (distance > 0) & (distance <= window)
    )
    weights = pairs.groupBy(c.ITEM_INDEX, "neighbour").agg(F.count(F.lit(1)).alias("weight"))
    heaviest = Window.partitionBy(c.ITEM_INDEX).orderBy(F.desc("weight"), "neighbour")
    return (
        weights.withColumn("_place", F.row_number().over(heaviest))
        .where(F.col("_place") <= neighbours)
        .drop("_place")
    )


def recent_popularity(
    events: DataFrame, segments: DataFrame, weights: Mapping[str, float], run_date: date, days: int
) -> DataFrame:
    """segment, item_id, score: what users did with an item in the `days` days up to `run_date`.

    A user counts once an item, by the weight of the event type that weighs most, 1 where `weights` has
    none. One row per item with segment null, of all users, and one per segment of `segments` (user_id,
    segment) whose users had it. `events` are those of histories.owned_events.
    """
    age = F.date_diff(F.lit(run_date), F.to_date(c.EVENT_TS))
    weight = F.coalesce(lookup(weights, F.col(c.EVENT_TYPE)), F.lit(1.0))
    had = (
        events.where((age >= 0) & (age < days))
        .groupBy(c.USER_ID, c.ITEM_ID)
        .agg(F.max(weight).alias("weight"))
        .join(segments, on=c.USER_ID, how="left")
    )
    of_segment = had.where(F.col(c.SEGMENT).isNotNull()).groupBy(c.SEGMENT, c.ITEM_ID)
    of_all = had.groupBy(F.lit(None).cast("string").alias(c.SEGMENT), c.ITEM_ID)
    score = F.sum("weight").alias(c.SCORE)
    return of_all.agg(score).unionByName(of_segment.agg(score))


def popularity_counts(popularity: DataFrame, n_items: int) -> npt.NDArray[np.int64]:
    """`item_popularity` by item index: 0 for items without a history, nothing of those above `n_items`."""
    rows = popularity.where(F.col(c.ITEM_INDEX) <= n_items).toPandas()
    counts = np.zeros(n_items + 1, np.int64)
    counts[rows[c.ITEM_INDEX].to_numpy()] = rows["n_histories"].to_numpy()
    return counts


def popularity_scorer(counts: npt.NDArray[np.int64]) -> Popularity:
    """`popularity_counts` as a scorer."""
    return Popularity(counts.astype(np.float32))


def neighbour_scorer(neighbours: DataFrame, n_items: int) -> LastItemNeighbours:
    """`covisitation` as a scorer by the last item of a history, among items up to `n_items`."""
    known = (F.col(c.ITEM_INDEX) <= n_items) & (F.col("neighbour") <= n_items)
    rows = neighbours.where(known).toPandas().sort_values([c.ITEM_INDEX, "neighbour"])
    return LastItemNeighbours(
        starts=np.searchsorted(rows[c.ITEM_INDEX].to_numpy(), np.arange(n_items + 2)),
        neighbours=rows["neighbour"].to_numpy(np.int32),
        weights=rows["weight"].to_numpy(np.float32),
        n_items=n_items,
    )


def _real(name: str) -> Column:
    """Array `name` without its padding."""
    return F.slice(name, 1, F.col(c.LENGTH))
