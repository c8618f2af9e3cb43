"""Rates of what came of lists, as sums over users by slice, source and rank."""

from collections.abc import Sequence
from typing import Final

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.prepare.attribution import (
    CLICK_SECONDS,
    IS_BOUGHT,
    IS_REPEATED,
    IS_SHOWN,
    ITEM_EVENTS,
    USER_EVENTS,
)

ALL: Final = "all"
PURCHASE_RATE: Final = "purchase_rate"
USERS_WITH_CLICK: Final = "users_with_click"
N_OFFERED: Final = "n_offered"


def sums(places: DataFrame, sliced: DataFrame, ks: Sequence[int]) -> DataFrame:
    """slice, source, rank, metric, k, and what estimates.RatioSums needs of each, with n_offered.

    `places` are those of attribution.places, `sliced` has user_id and slices of each user with a list.
    A group that the lists have no place of has no row; one that nobody was shown has `over` 0. All sums
    are of whole numbers, so that a rerun has the same last digit.
    """
    of_users = (
        _per_user(places)
        .join(sliced.select(c.USER_ID, c.SLICES), on=c.USER_ID, how="inner")
        .select("*", F.explode(F.array(*_measures(ks))).alias("_measure"))
        .where("_measure.is_told")
        .select(F.explode(c.SLICES).alias(c.SLICE), c.SOURCE, c.RANK, "_measure.*")
    )
    counted, over = F.col("counted").cast("double"), F.col("over").cast("double")
    return of_users.groupBy(c.SLICE, c.SOURCE, c.RANK, "metric", "k").agg(
        F.sum(counted).alias("counted"),
        F.sum(over).alias("over"),
        F.sum(counted**2).alias("counted_squared"),
        F.sum(counted * over).alias("product"),
        F.sum(over**2).alias("over_squared"),
        F.count_if(over > 0).alias("n_users"),
        F.sum("offered").alias(N_OFFERED),
    )


def counts_lists(row: Row) -> bool:
    """Whether n_offered of a row of `sums` is the number of lists of its slice."""
    return bool(row["metric"] == USERS_WITH_CLICK and row[c.SOURCE] == ALL)


def _per_user(places: DataFrame) -> DataFrame:
    """What each user did, over the whole list, over the items of each source, and at each rank."""
    parts = F.array(
        _part(F.lit(ALL), F.lit(0)), _part(F.col(c.SOURCE), F.lit(0)), _part(F.lit(ALL), F.col(c.RANK))
    )
    was_shown, was_clicked = F.col(IS_SHOWN), F.isnotnull(CLICK_SECONDS)
    return (
        places.select("*", F.explode(parts).alias("_part"))
        .groupBy(c.USER_ID, F.col("_part.source").alias(c.SOURCE), F.col("_part.rank").alias(c.RANK))
        .agg(
            F.count(F.lit(1)).alias("offered"),
            F.count_if(was_shown).alias("shown"),
            F.count_if(was_clicked).alias("clicks"),
            F.coalesce(F.sum(CLICK_SECONDS), F.lit(0)).alias("seconds"),
            F.count_if(IS_BOUGHT).alias("purchases"),
            F.count_if(was_shown & F.isnotnull(IS_REPEATED)).alias("after_a_list"),
            F.count_if(was_shown & F.col(IS_REPEATED)).alias("repeats"),
            F.min(F.when(was_clicked, F.col("rank"))).alias("first_hit"),
            F.sum(ITEM_EVENTS).alias(ITEM_EVENTS),
            F.max(USER_EVENTS).alias(USER_EVENTS),
        )
    )


def _measures(ks: Sequence[int]) -> list[Column]:
    """What each metric counts of a user and over what, by docs/outcomes.md."""
    always, is_list = F.lit(True), F.col(c.RANK) == 0
    is_whole_list = is_list & (F.col(c.SOURCE) == ALL)
    offered, shown, clicks = F.col("offered"), F.col("shown"), F.col("clicks")
    one, was_shown = F.lit(1), shown > 0
    return [
        _measure("click_through", 0, clicks, shown, offered, always),
        _measure(PURCHASE_RATE, 0, F.col("purchases"), shown, offered, always),
        _measure("repeats_shown", 0, F.col("repeats"), F.col("after_a_list"), offered, always),
        _measure("seconds_to_click", 0, F.col("seconds"), clicks, offered, always),
        _measure(USERS_WITH_CLICK, 0, clicks > 0, was_shown, one, is_list),
        *(_measure("hit_rate", k, _hits_within(k), was_shown, one, is_whole_list) for k in ks),
        _measure(
            "events_on_list", 0, F.col(ITEM_EVENTS), F.col(USER_EVENTS), F.col(USER_EVENTS), is_whole_list
        ),
    ]


def _hits_within(k: int) -> Column:
    return F.coalesce(F.col("first_hit") <= k, F.lit(False))


def _part(source: Column, rank: Column) -> Column:
    return F.struct(source.alias("source"), rank.alias("rank"))


def _measure(metric: str, k: int, counted: Column, over: Column, offered: Column, is_told: Column) -> Column:
    return F.struct(
        F.lit(metric).alias("metric"),
        F.lit(k).alias("k"),
        counted.cast("long").alias("counted"),
        over.cast("long").alias("over"),
        offered.cast("long").alias("offered"),
        is_told.alias("is_told"),
    )
