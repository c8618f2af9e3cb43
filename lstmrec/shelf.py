"""What may be offered today, to whom, by which rules: the catalogue as arrays by item index.

It is as large as the catalogue, never as the users, and travels to every task that makes lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput
from lstmrec.rank.categories import numbered
from lstmrec.rank.slate import Ints
from lstmrec.sections import ListRules

HIDDEN: Final = "hidden"
UNAVAILABLE: Final = "unavailable"
PROMOTED: Final = "promoted"
EVERYBODY: Final = ""
"""The segment of those who have none."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Popular:
    """Allowed items in order of popularity, with their scores, and whether that is in a segment alone."""

    items: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    is_of_segment: Flags


@dataclass(frozen=True)
class Shelf:
    """By item index, from 0 (no item) to the newest; True where an item may be offered at all."""

    item_ids: npt.NDArray[np.object_]
    allowed: Flags
    promoted: Flags
    categories: Ints
    """[items, most that an item has]: numbers from 1 on, then 0."""
    allowed_for: Mapping[str, Flags]
    """Segment -> what its users may be offered, of segments with a rule of their own."""
    popular: Mapping[str, Popular]
    """Segment -> what is popular in it; EVERYBODY's is of all users."""

    def allowed_to(self, segment: str) -> Flags:
        return self.allowed_for.get(segment, self.allowed)

    def popular_with(self, segment: str) -> Popular:
        """What is popular in the segment, then what is with everybody; none that its users may not have.

        An item of both comes twice.
        """
        everybody = self.popular[EVERYBODY]
        may = self.allowed_to(segment)[everybody.items]
        rest = Popular(everybody.items[may], everybody.scores[may], everybody.is_of_segment[may])
        if segment == EVERYBODY or segment not in self.popular:
            return rest
        own = self.popular[segment]
        return Popular(
            np.concatenate([own.items, rest.items]),
            np.concatenate([own.scores, rest.scores]),
            np.concatenate([own.is_of_segment, rest.is_of_segment]),
        )


def build(
    index: DataFrame,
    catalogue: DataFrame | None,
    item_rules: DataFrame,
    popularity: DataFrame,
    rules: ListRules,
    run_date: date,
) -> Shelf:
    """The shelf of `run_date`.

    `catalogue` has item_id, categories and since (the first day it was in the catalogue) of the items
    that can be had today, and is None for a shop without one; `item_rules` item_id and rule of today;
    `popularity` is that of baselines.recent_popularity. Hidden or unavailable wins over promoted.
    """
    items = _items(index, catalogue, item_rules, run_date - timedelta(days=rules.min_stock_days))
    size = int(items[c.ITEM_INDEX].max()) + 1 if len(items) else 1
    at = items[c.ITEM_INDEX].to_numpy()
    item_ids = np.full(size, "", object)
    item_ids[at] = items[c.ITEM_ID]
    allowed, promoted = np.zeros(size, bool), np.zeros(size, bool)
    allowed[at] = items["is_allowed"]
    promoted[at] = items["is_promoted"] & items["is_allowed"]
    categories: Ints = np.zeros((size, 1), np.int32)
    number_of: dict[str, int] = {}
    if _needs_categories(rules):
        categories, number_of = numbered(at, items[c.CATEGORIES], size)
    allowed_for = {}
    for segment, wanted in rules.segment_categories.items():
        if unknown := [name for name in wanted if name not in number_of]:
            raise BadInput(
                f"scoring.rules.segment_categories: {segment}: no item is of category {unknown[0]!r}; "
                f"categories are {', '.join(sorted(number_of)[:10])}"
            )
        allowed_for[segment] = allowed & np.isin(categories, [number_of[name] for name in wanted]).any(axis=1)
    popular = _popular(popularity, item_ids, allowed, allowed_for)
    return Shelf(item_ids, allowed, promoted, categories, allowed_for, popular)


def _items(
    index: DataFrame, catalogue: DataFrame | None, item_rules: DataFrame, in_stock_since: date
) -> pd.DataFrame:
    flags = item_rules.groupBy(c.ITEM_ID).agg(F.collect_set("rule").alias("rules"))
    if catalogue is None:
        known = index.withColumn(c.CATEGORIES, F.array().cast("array<string>")).withColumn(
            "is_had", F.lit(True)
        )
    else:
        is_had = F.col("since").isNotNull() & (F.col("since") <= F.lit(in_stock_since))
        known = index.join(catalogue, on=c.ITEM_ID, how="left").withColumn("is_had", is_had)
    rules = F.coalesce("rules", F.array().cast("array<string>"))
    is_out = F.arrays_overlap(rules, F.array(F.lit(HIDDEN), F.lit(UNAVAILABLE)))
    return (
        known.join(flags, on=c.ITEM_ID, how="left")
        .select(
            c.ITEM_ID,
            c.ITEM_INDEX,
            F.coalesce(c.CATEGORIES, F.array().cast("array<string>")).alias(c.CATEGORIES),
            (F.col("is_had") & ~is_out).alias("is_allowed"),
            F.array_contains(rules, PROMOTED).alias("is_promoted"),
        )
        .orderBy(c.ITEM_INDEX)
        .toPandas()
    )


def _needs_categories(rules: ListRules) -> bool:
    return rules.max_per_category is not None or rules.diversity > 0 or bool(rules.segment_categories)


def _popular(
    popularity: DataFrame, item_ids: npt.NDArray[np.object_], allowed: Flags, allowed_for: Mapping[str, Flags]
) -> dict[str, Popular]:
    """Equal scores go to the lower item index; of a segment with a rule of its own by that rule."""
    index_of = pd.Series(np.arange(len(item_ids)), index=item_ids)
    rows = popularity.toPandas()
    rows["place"] = index_of.reindex(rows[c.ITEM_ID]).to_numpy()
    rows = rows.dropna(subset=["place"]).astype({"place": np.int64}).fillna({c.SEGMENT: EVERYBODY})
    rows = rows.sort_values([c.SCORE, "place"], ascending=[False, True])
    lists = {EVERYBODY: Popular(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))}
    for segment, own in rows.groupby(c.SEGMENT):
        may = own[allowed_for.get(str(segment), allowed)[own["place"]]]
        is_of_segment = np.full(len(may), segment != EVERYBODY)
        lists[str(segment)] = Popular(
            may["place"].to_numpy(), may[c.SCORE].to_numpy(np.float64), is_of_segment
        )
    return lists
