"""Add the items that sessions show for the first time to `item_index`.

spark-submit jobs/build_item_index.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import columns as c
from lstmrec import runtime
from lstmrec.lake import checks
from lstmrec.lake.model_tables import ITEM_INDEX
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import item_index
from lstmrec.runtime import Run


@runtime.job("build_item_index", __doc__)
def main(run: Run) -> None:
    sessions = run.lake.read(SESSIONS)
    run.lake.create(ITEM_INDEX)
    index = run.lake.read(ITEM_INDEX)
    new = item_index.new_items(sessions, index, run.run_date).persist()

    checks.require_unique(index.unionByName(new), (c.ITEM_INDEX,), ITEM_INDEX.name)
    n_new = new.count()
    if n_new:
        run.lake.add_missing(ITEM_INDEX, new)
    run.log.info("index", known=index.count(), new=n_new)
    new.unpersist()


if __name__ == "__main__":
    main()
