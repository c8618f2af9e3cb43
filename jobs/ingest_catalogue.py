"""Bring `items` and `users` up to the catalogue and users files, keeping what held before.

spark-submit jobs/ingest_catalogue.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import DataFrame

from lstmrec import columns as c
from lstmrec import runtime
from lstmrec.lake import accounting, checks, files, validity
from lstmrec.lake.table import Table
from lstmrec.lake.tables import CATALOGUE_QUARANTINE, ITEMS, USERS
from lstmrec.prepare import catalogue
from lstmrec.runtime import Run


@runtime.job("ingest_catalogue", __doc__)
def main(run: Run) -> None:
    source, rules = run.config.source, run.config.ingest
    item_lines = files.read_lines(run.spark, source.items, "source.items")
    user_lines = files.read_lines(run.spark, source.users, "source.users")
    items = catalogue.items(item_lines, source.item_fields, rules).persist()
    users = catalogue.users(user_lines, source.user_fields, rules).persist()

    books: dict[str, int] = {}
    for table, records, lines in ((ITEMS, items, item_lines), (USERS, users, user_lines)):
        own = accounting.count_outcomes(records.select(c.OUTCOME))
        accounting.require_balance(lines.count(), own, run.job)
        books |= {f"{table.name}_{outcome}": n for outcome, n in own.items()}
    bad = catalogue.rejected(items, ITEMS.name).unionByName(catalogue.rejected(users, USERS.name))
    histories = [(table, made(run, table, records)) for table, records in ((ITEMS, items), (USERS, users))]

    run.lake.add_missing(CATALOGUE_QUARANTINE, bad)
    for table, rows in histories:
        if rows is not None:
            run.lake.replace(table, rows)
    run.record(sum(books.values()), books)


def made(run: Run, table: Table, records: DataFrame) -> DataFrame | None:
    """The table's rows after this run, None where they stay: nothing new, no file named, a past day."""
    run.lake.create(table)
    stored = run.lake.read(table)
    # a run that was killed has no books, one that brought nothing new no rows
    told = (validity.told_up_to(stored), accounting.newest_run(run.lake, run.job))
    newest = max(filter(None, told), default=run.run_date)
    if newest > run.run_date:
        run.log.warning(f"{table.name} left as they are: history goes forward only", newest=newest)
    if newest > run.run_date or getattr(run.config.source, table.name) is None:
        return None
    rows = catalogue.history(stored, records, table.key[0], run.run_date).persist()
    checks.require_unique(rows, table.key, table.name)
    return None if catalogue.is_same(stored, rows) else rows


if __name__ == "__main__":
    main()
