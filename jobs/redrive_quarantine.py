"""Take corrected rows of `events_quarantine` back into `events`, from the files in source.corrections.

spark-submit jobs/redrive_quarantine.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import ingestion, runtime
from lstmrec.errors import BadConfig
from lstmrec.lake import ledger, raw_log
from lstmrec.prepare import quarantine
from lstmrec.runtime import Run

KEY = "source.corrections"


@runtime.job("redrive_quarantine", __doc__)
def main(run: Run) -> None:
    source, rules = run.config.source, run.config.ingest
    if source.corrections is None:
        raise BadConfig(f"{run.conf}: {KEY}: is null; set it to the folder of the corrected rows")
    files = raw_log.list_files(run.spark, source.corrections, source.day_pattern, run.run_date, KEY)
    for batch in ledger.pending(run.lake, run.job, run.run_date, files):
        with raw_log.naming_the_file(KEY):
            lines = raw_log.read_lines(run.spark, source.corrections, batch.files)
            corrected = quarantine.corrections(lines).persist()
            found = ingestion.read_corrections(corrected, source, rules)
            made = ingestion.settle(run.lake, found, batch, rules)
        ingestion.publish(run.lake, made, corrected, batch)
        run.log.info("books", rows_in=made.rows_in, **made.books)
        corrected.unpersist()


if __name__ == "__main__":
    main()
