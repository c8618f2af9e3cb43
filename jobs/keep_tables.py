"""Compact the tables, and delete files that no version in use needs.

spark-submit jobs/keep_tables.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime
from lstmrec.lake import ledger, models, upkeep
from lstmrec.lake.tables import ALL, EVENTS
from lstmrec.runtime import Run


@runtime.job("keep_tables", __doc__)
def main(run: Run) -> None:
    rules = run.config.upkeep
    in_use = models.versions_in_use(run.lake, run.run_date, rules.model_days)
    in_use[EVENTS.name] = in_use.get(EVENTS.name, set()) | ledger.versions_in_use(run.lake)
    for table in filter(run.lake.exists, ALL):
        pinned = in_use.get(table.name, set())
        done = upkeep.tend(run.lake, table, pinned, rules)
        run.log.info(table.name, files=done.files_after, before=done.files_before, pinned=len(pinned))
        if done.properties:
            run.log.info(f"{table.name}: properties set", properties=", ".join(done.properties))
        if done.lost:
            run.log.warning(f"{table.name}: a model was made of versions that are gone", versions=done.lost)


if __name__ == "__main__":
    main()
