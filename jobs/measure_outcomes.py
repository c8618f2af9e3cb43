"""Write the `outcomes` of earlier lists: what their users clicked and bought up to the run date.

spark-submit jobs/measure_outcomes.py --conf conf/base.yaml --run-date 2026-01-31
"""

from lstmrec import outcomes, runtime
from lstmrec.lake import checks
from lstmrec.lake.outcome_tables import OUTCOMES
from lstmrec.runtime import Run


@runtime.job("measure_outcomes", __doc__)
def main(run: Run) -> None:
    measured = outcomes.measure(run.lake, run.config, run.run_date)
    run.log.info(
        "lists by slice",
        list_date=measured.list_date.isoformat(),
        refused_for=", ".join(measured.refused_for) or "nothing",
        **measured.n_lists,
    )

    rows = run.spark.createDataFrame(measured.rows, OUTCOMES.schema)
    checks.require_unique(rows, OUTCOMES.key, OUTCOMES.name)
    run.lake.replace_date(OUTCOMES, rows, run.run_date)
    run.record(sum(measured.places.values()), measured.places)


if __name__ == "__main__":
    main()
