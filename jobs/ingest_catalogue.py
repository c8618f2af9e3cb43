"""Write the catalogue file to `items` and the users file to `users`.

spark-submit jobs/ingest_catalogue.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime
from lstmrec.lake import files
from lstmrec.lake.tables import ITEMS, USERS
from lstmrec.prepare import catalogue
from lstmrec.runtime import Run


@runtime.job("ingest_catalogue", __doc__)
def main(run: Run) -> None:
    source = run.config.source
    items = catalogue.items(
        files.read_lines(run.spark, source.items, "source.items"), source.item_fields
    ).persist()
    users = catalogue.users(
        files.read_lines(run.spark, source.users, "source.users"), source.user_fields
    ).persist()

    books = {f"items_{name}": n for name, n in catalogue.books(items, ITEMS.key[0]).items()}
    books |= {f"users_{name}": n for name, n in catalogue.books(users, USERS.key[0]).items()}
    run.lake.replace(ITEMS, catalogue.named(items, ITEMS.key[0]))
    run.lake.replace(USERS, catalogue.named(users, USERS.key[0]))
    run.record(sum(books.values()), books)


if __name__ == "__main__":
    main()
