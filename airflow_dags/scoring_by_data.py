"""# Lists as soon as a model serves

Output: `recommendations` anew of the day that the model was trained for, by that model, without waiting
for the next night.

Starts when `promote_model` has let a model through its gate, and stands for the day of that training. A
run triggered by hand takes yesterday, and needs the `sequences` of that day.

Not needed: paused, the lists follow the model with the next `nightly_scoring`.

**If it fails, nothing is half done:** the lists published before stay current. **A rerun is safe:** clear
the task; the same tables give the same rows.

The task is tried three times, five minutes apart. The last lines of its log say what is wrong, where,
and what to do.

## When a task failed

- `score_recommendations`: see the same task in the runbook of `nightly_scoring`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG
from lstmrec_tables import SERVING_MODEL
from lstmrec_tasks import DEFAULT_ARGS, spark_job

with DAG(
    "scoring_by_data",
    doc_md=__doc__,
    tags=["lstmrec", "by data"],
    # Any table will do, e.g. table("sequences"): what writes it is an event, and says its run date.
    schedule=[SERVING_MODEL],
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # of a run: one Spark application at a time
    default_args=DEFAULT_ARGS,
):
    spark_job("score_recommendations", timedelta(hours=2))
