"""Write `sequences`, the model's input, from `sessions` and `item_index`.

spark-submit jobs/build_sequences.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import columns as c
from lstmrec import runtime
from lstmrec.errors import BrokenContract
from lstmrec.lake import accounting, checks, history
from lstmrec.lake.model_tables import ITEM_INDEX, SEQUENCES
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare import histories, sequences, splits
from lstmrec.runtime import Run


@runtime.job("build_sequences", __doc__)
def main(run: Run) -> None:
    rules = run.config.sequences
    types = histories.type_vocabulary(run.config.source.vocabulary)
    per_user = histories.build(
        run.lake.read(SESSIONS), run.lake.read(ITEM_INDEX), types, rules.grain, run.run_date
    )
    rows = sequences.build(splits.leave_one_out(per_user, rules.min_length), rules).persist()

    by_split = accounting.count_outcomes(rows.select(c.SPLIT))
    if not by_split:
        raise BrokenContract(
            f"sequences: no history up to {run.run_date}; look at `sessions` and run_accounting"
        )
    checks.require_unique(rows, SEQUENCES.key, SEQUENCES.name)
    laid_out = sequences.spread(rows, rules.row_groups)
    run.lake.replace(SEQUENCES, laid_out, history.as_of(run.run_date))
    run.log.info("sequences", **by_split)
    rows.unpersist()


if __name__ == "__main__":
    main()
