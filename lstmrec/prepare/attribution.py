"""What users did with the items of their lists, while those were current."""

from collections.abc import Collection
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c

IS_SHOWN: Final = "is_shown"
CLICK_SECONDS: Final = "click_seconds"
IS_BOUGHT: Final = "is_bought"
IS_REPEATED: Final = "is_repeated"
N_BEFORE: Final = "n_before"
ITEM_EVENTS: Final = "item_events"
USER_EVENTS: Final = "user_events"


def places(
    lists: DataFrame,
    before: DataFrame,
    events: DataFrame,
    clicks: Collection[str] | None,
    purchases: Collection[str],
) -> DataFrame:
    """The rows of `lists`, each with what its user did with its item in `events`.

    `events` are those of histories.owned_events in which a click counts for the lists; `before` has
    user_id and item_id of the lists before them. Nothing tells which lists were looked at: a list
    `is_shown` to a user who came, that is who has any event. Of a place that is not shown the rest is
    null or 0:

    - click_seconds: from the user's first event to the first one of the item that is of a type in
      `clicks` (null: of any); null without such an event
    - is_bought: whether there is one of a type in `purchases`
    - is_repeated: whether the user's list before held the item; null where there was none
    - n_before: how many items that list had, else null
    - item_events, user_events: how many events are of the item, and of the user, 0 where none
    """
    time = F.unix_micros(c.EVENT_TS)
    came = events.groupBy(c.USER_ID).agg(F.min(time).alias("_came"), F.count(F.lit(1)).alias(USER_EVENTS))
    is_click = F.lit(True) if clicks is None else F.col(c.EVENT_TYPE).isin(*clicks)
    done = events.groupBy(c.USER_ID, c.ITEM_ID).agg(
        F.min(F.when(is_click, time)).alias("_clicked"),
        F.max(F.col(c.EVENT_TYPE).isin(*purchases)).alias(IS_BOUGHT),
        F.count(F.lit(1)).alias(ITEM_EVENTS),
    )
    of_before = before.groupBy(c.USER_ID).agg(
        F.collect_set(c.ITEM_ID).alias("_before"), F.count_distinct(c.ITEM_ID).alias(N_BEFORE)
    )
    return (
        lists.join(came, on=c.USER_ID, how="left")
        .join(done, on=[c.USER_ID, c.ITEM_ID], how="left")
        .join(of_before, on=c.USER_ID, how="left")
        .withColumns(
            {
                IS_SHOWN: F.isnotnull("_came"),
                CLICK_SECONDS: F.floor((F.col("_clicked") - F.col("_came")) / 1_000_000),
                IS_BOUGHT: F.coalesce(IS_BOUGHT, F.lit(False)),
                IS_REPEATED: F.array_contains("_before", F.col(c.ITEM_ID)),
                ITEM_EVENTS: F.coalesce(ITEM_EVENTS, F.lit(0)),
                USER_EVENTS: F.coalesce(USER_EVENTS, F.lit(0)),
            }
        )
        .drop("_came", "_clicked", "_before")
    )
