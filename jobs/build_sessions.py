"""Write `sessions` from the accepted events; only what changed events can touch is cut anew.

spark-submit jobs/build_sessions.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime, sessionization
from lstmrec.lake import accounting, checks
from lstmrec.lake.tables import EVENTS, SESSIONS
from lstmrec.runtime import Run


@runtime.job("build_sessions", __doc__, backfill="cut anew also all sessions from this UTC day on")
def main(run: Run) -> None:
    rules = run.config.sessions
    last = sessionization.last_cut(run.lake)
    if last and run.from_day is None and sessionization.is_up_to_date(run.lake, last, rules):
        run.record_as(last.run_id, last.rows_in, last.books)  # a run killed before it wrote them
        return
    made = sessionization.cut(run.lake, rules, last, run.from_day)
    accounting.require_balance(made.rows_in, made.books, run.job)
    checks.require_unique(made.new, SESSIONS.key, SESSIONS.name)

    again = f"-from-{run.from_day}" if run.from_day else ""
    run_id = f"{run.run_id}-v{run.lake.versions[EVENTS.name]}{again}"
    sessionization.publish(run.lake, made, rules, run_id)
    run.record_as(run_id, made.rows_in, made.books)


if __name__ == "__main__":
    main()
