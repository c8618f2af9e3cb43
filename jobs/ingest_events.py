"""Write the events of new log files to `events`, and the rows that are none to `events_quarantine`.

spark-submit jobs/ingest_events.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import ingestion, runtime
from lstmrec.lake import ledger, raw_log
from lstmrec.runtime import Run

KEY = "source.events"


@runtime.job("ingest_events", __doc__)
def main(run: Run) -> None:
    source, rules = run.config.source, run.config.ingest
    files = raw_log.list_files(run.spark, source.events, source.day_pattern, run.run_date, KEY)
    for batch in ledger.pending(run.lake, run.job, run.run_date, files):
        run.log.info("batch", files=len(batch.files), of=len(files), run_id=batch.run_id)
        with raw_log.naming_the_file(KEY):
            found = ingestion.read(run.lake, source.events, batch, source, rules)
            made = ingestion.settle(run.lake, found, batch, rules)
        ingestion.publish(run.lake, made, None, batch)
        run.log.info("books", rows_in=made.rows_in, **made.books)


if __name__ == "__main__":
    main()
