"""What came in: the books of the run, and the sessions."""

from datetime import date, timedelta
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake.accounting import ROWS_IN
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import RUN_ACCOUNTING, SESSIONS
from lstmrec.report.charts import Axis, Row, Series, bars
from lstmrec.report.parts import Chart, Section, Table, nothing

INGESTION: Final = "ingest_events"
_ROW_KINDS: Final = ("accepted", "late", "duplicate", "ignored_type", "rejected")
_BANDS: Final = {"1": 1, "2 to 5": 5, "6 to 10": 10, "11 to 20": 20, "21 to 50": 50, "51 to 100": 100}
_BEYOND: Final = "over 100"


def books(lake: Lake, run_date: date) -> dict[str, dict[str, int]]:
    """Job -> outcome -> how many rows came to it on `run_date`, over all batches; rows_in is their sum."""
    rows = lake.read(RUN_ACCOUNTING).where(F.col(c.RUN_DATE) == F.lit(run_date))
    summed = rows.groupBy(c.JOB, c.OUTCOME).agg(F.sum(c.N_ROWS).alias("n"))
    found: dict[str, dict[str, int]] = {}
    for row in summed.orderBy(c.JOB, F.desc("n"), c.OUTCOME).collect():
        found.setdefault(row[c.JOB], {})[row[c.OUTCOME]] = row["n"]
    return found


def of_rows(lake: Lake, run_date: date, n_runs: int) -> Section:
    """Rows in and what became of them: of the run, and of the raw log in the last `n_runs` run dates."""
    found = books(lake, run_date) if lake.exists(RUN_ACCOUNTING) else {}
    title = "Rows in, and what became of them"
    if not found:
        return nothing(title, f"run_accounting has no books of {run_date}.")
    rows = [
        {"job": job, "outcome": outcome, "rows": n, "share": _share(n, told[ROWS_IN])}
        for job, told in found.items()
        for outcome, n in told.items()
        if n and outcome != ROWS_IN
    ]
    table = Table("Books of the run", "Table run_accounting; every row in has one outcome.", rows)
    tiles = {f"rows into {job}": told[ROWS_IN] for job, told in found.items()}
    return Section(title, f"Run date {run_date}.", tiles, _by_run(lake, run_date, n_runs), [table])


def of_sessions(lake: Lake, run_date: date, n_days: int) -> Section:
    """Sessions up to `run_date`: how many and how long, and by day of the last `n_days`."""
    if not lake.exists(SESSIONS):
        return nothing("Sessions", "None were cut yet; see build_sessions.")
    sessions = up_to(lake, run_date)
    facts = session_facts(sessions)
    if not facts["sessions"]:
        return nothing("Sessions", f"None up to {run_date}.")
    return Section(
        "Sessions",
        f"All sessions that began up to {run_date}, cut by rule from the accepted events.",
        facts,
        [*_by_day(sessions, run_date, n_days), _by_length(sessions)],
    )


def up_to(lake: Lake, run_date: date) -> DataFrame:
    """The sessions that began on `run_date` or before."""
    return lake.read(SESSIONS).where(F.col(c.SESSION_DATE) <= F.lit(run_date))


def session_facts(sessions: DataFrame) -> dict[str, float]:
    """How many sessions, of how many users, the median events and minutes, and how many by bots."""
    minutes = (F.unix_micros(c.END_TS) - F.unix_micros(c.START_TS)) / 60_000_000
    row = sessions.agg(
        F.count(F.lit(1)).alias("sessions"),
        F.count_distinct(c.SITE, c.SESSION_USER).alias("users"),
        F.median(c.N_EVENTS).alias("median events"),
        F.median(minutes).alias("median minutes"),
        F.count_if(c.IS_BOT).alias("by bots"),
    ).collect()[0]
    return row.asDict()


def _by_run(lake: Lake, run_date: date, n_runs: int) -> list[Chart]:
    kinds = F.col(c.OUTCOME).isin(*_ROW_KINDS[:-1])
    summed = (
        lake.read(RUN_ACCOUNTING)
        .where((F.col(c.JOB) == INGESTION) & (F.col(c.OUTCOME) != ROWS_IN))
        .where(F.col(c.RUN_DATE) <= F.lit(run_date))
        .groupBy(c.RUN_DATE, F.when(kinds, F.col(c.OUTCOME)).otherwise(_ROW_KINDS[-1]).alias("kind"))
        .agg(F.sum(c.N_ROWS).alias("n"))
        .collect()
    )
    dates = sorted({row[c.RUN_DATE] for row in summed})[-n_runs:]
    by_kind = {(row[c.RUN_DATE], row["kind"]): row["n"] for row in summed}
    rows: list[Row] = [
        {"run date": str(day), "rows": by_kind[day, kind], "outcome": kind}
        for day in dates
        for kind in _ROW_KINDS
        if by_kind.get((day, kind))
    ]
    if len(dates) < 2:
        return []
    spec = bars(rows, Axis("run date", "ordinal"), Axis("rows"), Series("outcome", _ROW_KINDS))
    note = f"Rows of the raw log by run date, the last {len(dates)}. Rejected: in events_quarantine."
    return [Chart("The raw log", note, rows, spec)]


def _by_day(sessions: DataFrame, run_date: date, n_days: int) -> list[Chart]:
    first = run_date - timedelta(days=n_days - 1)
    by = F.when(F.col(c.IS_BOT), "bots").otherwise("people").alias("by")
    counted = (
        sessions.where(F.col(c.SESSION_DATE) >= F.lit(first))
        .groupBy(c.SESSION_DATE, by)
        .count()
        .orderBy(c.SESSION_DATE, F.desc("by"))
        .collect()
    )
    rows = [{"day": str(row[c.SESSION_DATE]), "sessions": row["count"], "by": row["by"]} for row in counted]
    if not rows:
        return []
    spec = bars(rows, Axis("day", "ordinal"), Axis("sessions"), Series("by", ("people", "bots")))
    n = sum(row["count"] for row in counted)
    note = f"{n:,} sessions by the UTC day of their start, {first} to {run_date}."
    return [Chart("Sessions a day", note, rows, spec)]


def _by_length(sessions: DataFrame) -> Chart:
    band = F.lit(_BEYOND)
    for name, most in reversed(_BANDS.items()):
        band = F.when(F.col(c.N_EVENTS) <= most, name).otherwise(band)
    counted = {row["band"]: row["count"] for row in sessions.groupBy(band.alias("band")).count().collect()}
    rows = [{"events": name, "sessions": counted.get(name, 0), "of": "all"} for name in (*_BANDS, _BEYOND)]
    spec = bars(rows, Axis("events", "ordinal"), Axis("sessions"), Series("of", ("all",)))
    return Chart("Events in a session", f"{sum(counted.values()):,} sessions by their events.", rows, spec)


def _share(n: int, total: int) -> str:
    return f"{n / total:.2%}" if total else "none"
