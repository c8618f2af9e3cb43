"""Items that a user is not offered for what they did with them: bought for ever, viewed for a week."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.sections import Exclusion


def excluded(events: DataFrame, index: DataFrame, rules: Sequence[Exclusion], run_date: date) -> DataFrame:
    """user_id, seen: the indices of the items that each user is not offered on `run_date`, in order.

    One row per user with such an item. `events` are those of histories.owned_events. An event of
    `run_date` itself is of age 0, so a rule of 7 days holds for it and for the six days before.
    """
    age = F.date_diff(F.lit(run_date), F.to_date(c.EVENT_TS))
    holds = reduce(Column.__or__, (_holds(rule, age) for rule in rules), F.lit(False))
    items = events.where(holds).join(index.select(c.ITEM_ID, c.ITEM_INDEX), on=c.ITEM_ID, how="inner")
    return items.groupBy(c.USER_ID).agg(F.array_sort(F.collect_set(c.ITEM_INDEX)).alias(c.SEEN))


def _holds(rule: Exclusion, age: Column) -> Column:
    is_type = F.lit(True) if rule.event_types is None else F.col(c.EVENT_TYPE).isin(*rule.event_types)
    return is_type if rule.days is None else is_type & (age < rule.days)
