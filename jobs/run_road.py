"""Run every job of the road in one Spark session, then tell what came of it.

spark-submit jobs/run_road.py --conf conf/base.yaml --run-date 1998-04-22
"""

import runpy
from pathlib import Path

from lstmrec import runtime
from lstmrec.runtime import Run

ROAD = (
    "ingest_events",
    "ingest_catalogue",
    "build_sessions",
    "build_item_index",
    "build_sequences",
    "train_model",
    "evaluate_model",
    "promote_model",
    "score_recommendations",
    "measure_outcomes",
    "write_report",
)


@runtime.job("run_road", __doc__)
def main(run: Run) -> None:
    flags = ["--conf", str(run.conf), "--run-date", run.run_date.isoformat()]
    for step, name in enumerate(ROAD, start=1):
        run.log.info(f"step {step} of {len(ROAD)}", next=name)
        runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))["main"](flags)


if __name__ == "__main__":
    main()
