"""Of a table with rows of many runs, those of the newest ones."""

from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lstmrec import columns as c


def newest(rows: DataFrame, run_date: date, n_runs: int) -> tuple[list[date], list[Row]]:
    """The newest `n_runs` run dates up to `run_date`, newest first, and their rows; none of a later one."""
    told = rows.where(F.col(c.RUN_DATE) <= F.lit(run_date))
    days = [r[0] for r in told.select(c.RUN_DATE).distinct().orderBy(F.desc(c.RUN_DATE)).take(n_runs)]
    return days, told.where(F.col(c.RUN_DATE).isin(days)).collect() if days else []
