"""Write the `recommendations` of one run date: N items for every user, if they pass the gate.

spark-submit jobs/score_recommendations.py --conf conf/base.yaml --run-date 2026-01-31
"""

from pyspark.sql import DataFrame

from lstmrec import gate, nightly, runtime, tracking
from lstmrec.lake import accounting
from lstmrec.lake.list_tables import RECOMMENDATIONS
from lstmrec.nightly import Night
from lstmrec.runtime import Run


@runtime.job("score_recommendations", __doc__)
def main(run: Run) -> None:
    night = nightly.prepare(run.lake, run.config, run.run_date)
    lists = night.lists().persist()
    try:
        publish(run, night, lists)
    finally:
        for frame in (lists, night.users):
            frame.unpersist()


def publish(run: Run, night: Night, lists: DataFrame) -> None:
    """Make the lists those of their date, unless the gate refuses them; the run is on record in any case."""
    verdicts = gate.judge(night.for_gate(lists), run.config.gate)
    by_source = accounting.count_outcomes(lists.select("source"))
    nightly.record(run.lake, night, verdicts, by_source, run.seconds())
    try:
        gate.require_met(
            verdicts, f"the lists of {run.run_date} are not published, those before stay current:"
        )
        run.lake.replace_date(RECOMMENDATIONS, night.signed(lists), run.run_date)
        run.record(sum(by_source.values()), by_source)
    finally:
        tracking.lists(run.lake, run.config.tracking, night.run_id)  # also of lists that were refused


if __name__ == "__main__":
    main()
