"""# Weekly training

Output: a new model artifact, its row in `model_runs`, and its `metrics` next to the baselines' and to
those of the model that serves. If they pass the gate it is promoted, and the next `nightly_scoring` run
scores with it (or `scoring_by_data` at once, where that is unpaused).

Starts on Mondays at 05:00 UTC, after the night's scoring, and stands for Sunday, the last UTC day
whose log is complete. It builds the tables up to that day first: where the night has done so already
this changes nothing, and on an empty lake it makes this DAG the one to run first. The day is the
run's logical date; a run triggered by hand for "now" takes yesterday.

**If it fails, the model in use stays in use** and the nightly lists go on. **A rerun is safe:** clear
the failed task with what follows it, or trigger the day again.

Every task is tried three times, five minutes apart. The last lines of its log say what is wrong, where,
and what to do.

## When a task failed

Put the cause right, then clear the task with what follows it.

- `ingest_events` to `build_sequences`: see the same task in the runbook of `nightly_scoring`. If the
  log speaks of a concurrent write, the night was late and wrote the same table: the retry mends it.
- `ingest_catalogue`: see there, too. Item attributes and slices of the evaluation come from it.
- `train_model`: memory of the host; a rank that died (the first traceback in the log is the cause, the
  other ranks only lost it); fewer row groups of `sequences` than training processes. It starts anew.
- `evaluate_model`: was the artifact moved or changed since? Then clear `train_model` instead.
- `promote_model`: the log shows the gate's verdicts. The model that serves goes on, so there is no hurry:
  look at the log of the shop and at `metrics`. To let the candidate serve all the same, or to go back to an
  earlier model: `jobs/promote_model.py --model-version VERSION`, with the flags of the task.

A task that ends at its time limit was killed; a model half trained is never in `model_runs`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from lstmrec_tasks import DEFAULT_ARGS, build_sequences, spark_job

with DAG(
    "training",
    doc_md=__doc__,
    tags=["lstmrec", "weekly"],
    # An interval of one day before the start: the logical date is Sunday, not the Monday a week ago.
    schedule=CronTriggerTimetable("0 5 * * MON", timezone="UTC", interval=timedelta(days=1)),
    catchup=False,  # last week's model is of no use once this week's is trained
    max_active_runs=1,
    max_active_tasks=1,  # of a run: one Spark application at a time
    default_args=DEFAULT_ARGS,
):
    ingest_catalogue = spark_job("ingest_catalogue", timedelta(minutes=30))
    train_model = spark_job("train_model", timedelta(hours=8))
    evaluate_model = spark_job("evaluate_model", timedelta(hours=2))
    promote_model = spark_job("promote_model", timedelta(minutes=30))

    [build_sequences(), ingest_catalogue] >> train_model >> evaluate_model >> promote_model
