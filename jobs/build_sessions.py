"""Write `sessions` from the accepted events.

spark-submit jobs/build_sessions.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import runtime
from lstmrec.lake import accounting, checks
from lstmrec.lake.tables import EVENTS, SESSIONS
from lstmrec.prepare.events import LATE
from lstmrec.prepare.sessions import sessionize
from lstmrec.runtime import Run


@runtime.job("build_sessions", __doc__)
def main(run: Run) -> None:
    events = run.lake.read(EVENTS)
    sessions = sessionize(events, run.config.sessions).persist()

    by_status = accounting.count_outcomes(events.select(c.STATUS))
    (in_sessions,) = sessions.select(F.coalesce(F.sum(c.N_EVENTS), F.lit(0)).cast("long")).collect()[0]
    books = {"in_sessions": in_sessions, LATE: by_status.get(LATE, 0)}
    accounting.require_balance(sum(by_status.values()), books, run.job)

    checks.require_unique(sessions, SESSIONS.key, SESSIONS.name)
    run.lake.replace(SESSIONS, sessions)
    run.record(sum(by_status.values()), books)
    sessions.unpersist()


if __name__ == "__main__":
    main()
