"""Name the tables of the lake, and the views over them, in Spark's catalog, for those who query by name.

spark-submit jobs/register_tables.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import runtime
from lstmrec.lake import views
from lstmrec.runtime import Run


@runtime.job("register_tables", __doc__)
def main(run: Run) -> None:
    names = views.register(run.lake, run.config.lake.database)
    run.log.info("registered", database=run.config.lake.database, names=", ".join(names))


if __name__ == "__main__":
    main()
