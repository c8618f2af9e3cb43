"""Write the accepted events of new log files to `events`, and the rejected rows to `events_quarantine`.

spark-submit jobs/ingest_events.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import runtime
from lstmrec.lake import accounting, checks, ledger
from lstmrec.lake.tables import EVENTS, EVENTS_QUARANTINE
from lstmrec.prepare import events
from lstmrec.runtime import Run


@runtime.job("ingest_events", __doc__)
def main(run: Run) -> None:
    files = ledger.list_files(run.lake, run.config.source.events, run.run_date)
    batches = list(ledger.pending(run.lake, run.job, run.run_date, files))
    run.log.info("files", listed=len(files), new=sum(len(batch.files) for batch in batches))
    for batch in batches:
        ingest(run, batch)


def ingest(run: Run, batch: ledger.Batch) -> None:
    lines = ledger.read_lines(run.lake, run.config.source.events, batch)
    parsed = events.parse(lines, run.config.source, run.config.ingest)
    identified = events.identify(parsed, run.config.ingest)
    settled = events.settle_duplicates(
        identified, run.lake.read_version(EVENTS, batch.events_version)
    ).persist()
    malformed = parsed.where(F.col(c.REASON).isNotNull()).persist()

    from_files = settled.where(F.col(c.SOURCE_FILE).isNotNull()).select(c.OUTCOME)
    outcomes = accounting.count_outcomes(from_files.union(malformed.select(c.REASON)))
    rows_in = lines.count()
    accounting.require_balance(rows_in, outcomes, run.job)

    conflicts = settled.where(F.col(c.OUTCOME) == events.ID_CONFLICT).withColumn(c.REASON, F.col(c.OUTCOME))
    rejected = events.quarantine(malformed.unionByName(conflicts, allowMissingColumns=True))
    signed = rejected.withColumns({c.RUN_ID: F.lit(batch.run_id), c.RUN_DATE: F.lit(batch.run_date)})
    run.lake.replace_run(EVENTS_QUARANTINE, signed, batch.run_date, batch.run_id)

    winners = settled.where(F.col(c.OUTCOME).isin(events.ACCEPTED, events.LATE)).select(*EVENTS.columns)
    checks.require_unique(winners, EVENTS.key, EVENTS.name)
    run.lake.upsert(EVENTS, winners)
    accounting.record(run.lake, batch.run_id, batch.run_date, run.job, rows_in, outcomes)
    run.log.info("books", rows_in=rows_in, **outcomes)
    settled.unpersist()
    malformed.unpersist()


if __name__ == "__main__":
    main()
