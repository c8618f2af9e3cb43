"""Slices of users and of held-out histories: who they are, and what is asked of them."""

from itertools import pairwise
from math import inf
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.sections import EvaluationConfig

ALL: Final = "all"
COLD_USER: Final = "cold_user"
COLD_ITEM: Final = "cold_item"
TAIL_ITEM: Final = "tail_item"

_SEGMENT: Final = "_segment"


def with_slices(test: DataFrame, items: DataFrame, users: DataFrame, rules: EvaluationConfig) -> DataFrame:
    """The rows of `test` with `slices`: the names of all slices that a row falls into.

    `items` has item_index, n_histories (of training) and is_tail; a target that it lacks is cold and in
    the tail. A user's history is its different items before the target. `users` has user_id and
    attributes; a user without the attribute of the segment is in none of its slices.
    """
    names = [
        *_of_user(F.size(c.SEEN), rules),
        F.when(F.coalesce("_n_histories", F.lit(0)) <= rules.cold_item_histories, COLD_ITEM),
        F.when(F.coalesce("_is_tail", F.lit(True)), TAIL_ITEM),
    ]
    about_target = items.select(
        F.col(c.ITEM_INDEX).alias(c.TARGET),
        F.col("n_histories").alias("_n_histories"),
        F.col("is_tail").alias("_is_tail"),
    )
    return (
        test.join(about_target, on=c.TARGET, how="left")
        .join(_segments(users, rules), on=c.USER_ID, how="left")
        .withColumn(c.SLICES, F.filter(F.array(*names), F.isnotnull))
        .drop("_n_histories", "_is_tail", _SEGMENT)
    )


def with_user_slices(rows: DataFrame, users: DataFrame, rules: EvaluationConfig) -> DataFrame:
    """The same by user alone: `rows` has one row per user, with n_items, the different items it has had."""
    names = _of_user(F.col(c.N_ITEMS), rules)
    return (
        rows.join(_segments(users, rules), on=c.USER_ID, how="left")
        .withColumn(c.SLICES, F.filter(F.array(*names), F.isnotnull))
        .drop(_SEGMENT)
    )


def always_told(rules: EvaluationConfig) -> list[str]:
    """The slices that a run tells of, whether or not they hold anybody; those of the segment join them."""
    return [ALL, COLD_USER, COLD_ITEM, TAIL_ITEM, *(name for name, _, _ in _bands(rules))]


def always_told_of_users(rules: EvaluationConfig) -> list[str]:
    """Those of them that are of users."""
    return [name for name in always_told(rules) if name not in (COLD_ITEM, TAIL_ITEM)]


def _of_user(had: Column, rules: EvaluationConfig) -> list[Column]:
    names = [F.lit(ALL), F.when(had <= rules.cold_user_items, COLD_USER)]
    names += [F.when((had > low) & (had <= high), name) for name, low, high in _bands(rules)]
    if rules.segment is not None:
        names.append(F.concat(F.lit(f"{rules.segment}="), F.col(_SEGMENT)))
    return names


def _segments(users: DataFrame, rules: EvaluationConfig) -> DataFrame:
    return users.select(c.USER_ID, F.col(c.ATTRIBUTES)[rules.segment or ""].alias(_SEGMENT))


def _bands(rules: EvaluationConfig) -> list[tuple[str, int, float]]:
    """Name, and more than how many items and up to how many, of each slice by length of history.

    Bands (20, 50) give history_1_to_20, history_21_to_50 and history_over_50.
    """
    closed = [
        (f"history_{low + 1}_to_{high}", low, high) for low, high in pairwise((0, *rules.history_bands))
    ]
    last = max(rules.history_bands, default=0)
    return [*closed, (f"history_over_{last}", last, inf)]
