"""The books of a run: how many rows came in, and what became of each."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BrokenContract
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import RUN_ACCOUNTING

ROWS_IN = "rows_in"


def count_outcomes(outcomes: DataFrame) -> dict[str, int]:
    """How many rows there are of each value of the one column of `outcomes`."""
    (name,) = outcomes.columns
    return {row[name]: row["count"] for row in outcomes.groupBy(name).count().collect()}


def newest_run(lake: Lake, job: str) -> date | None:
    """The newest run date with books of the job, None where there is none."""
    lake.create(RUN_ACCOUNTING)
    books = lake.read(RUN_ACCOUNTING).where(F.col(c.JOB) == job)
    newest: date | None = books.agg(F.max(c.RUN_DATE)).collect()[0][0]
    return newest


def require_balance(rows_in: int, outcomes: Mapping[str, int], job: str) -> None:
    """Stop the run unless every row that came in has exactly one outcome."""
    accounted = sum(outcomes.values())
    if accounted != rows_in:
        raise BrokenContract(
            f"{job}: {rows_in} rows came in, {accounted} are accounted for: {dict(outcomes)}"
        )


def record(
    lake: Lake, run_id: str, run_date: date, job: str, rows_in: int, outcomes: Mapping[str, int]
) -> None:
    """Write balanced books into `run_accounting`, in place of an earlier attempt's of the same run."""
    require_balance(rows_in, outcomes, job)
    counts = {ROWS_IN: rows_in, **outcomes}
    lines = [(run_id, run_date, job, outcome, n) for outcome, n in sorted(counts.items())]
    lake.replace_run(
        RUN_ACCOUNTING, lake.spark.createDataFrame(lines, RUN_ACCOUNTING.schema), run_date, run_id
    )
