"""Tables that keep history: what holds on a day, and up to which day the history is told."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c


def valid_on(rows: DataFrame, day: date) -> DataFrame:
    """The rows that hold on `day`, without valid_from and valid_to."""
    begun = F.col(c.VALID_FROM) <= F.lit(day)
    ended = F.coalesce(F.col(c.VALID_TO) <= F.lit(day), F.lit(False))
    return rows.where(begun & ~ended).drop(c.VALID_FROM, c.VALID_TO)


def told_up_to(rows: DataFrame) -> date | None:
    """The newest day on which a row began or ended, None of a table without rows."""
    newest: date | None = rows.agg(F.max(F.greatest(c.VALID_FROM, c.VALID_TO))).collect()[0][0]
    return newest
