"""# Weekly upkeep

Output: the same rows in fewer files, tables whose properties are those of the code, and room on the
store: files that no version in use needs are deleted.

Starts on Sundays at 08:00 UTC, between the night's scoring and Monday's training, and stands for
Saturday. The day only says which models are in use: what they were made of stays readable.

**If it fails, no row is lost**, and the other DAGs go on; the store grows until it runs again. **A rerun
is safe:** clear the task or trigger the day again, at any time, also twice.

The task is tried three times, five minutes apart. The last lines of its log say what is wrong, where,
and what to do.

## When a task failed

- `keep_tables`: if the log speaks of a concurrent write, a job wrote the same table: the retry mends
  it. Memory of the Spark driver, which lists all files of a table. If it warns that a model was made of
  versions that are gone, the model still serves; only its training cannot be done again.

Do not run VACUUM by hand: it knows nothing of models.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from lstmrec_tasks import DEFAULT_ARGS, spark_job

with DAG(
    "upkeep",
    doc_md=__doc__,
    tags=["lstmrec", "weekly"],
    # An interval of one day before the start: the logical date is Saturday, not the Sunday a week ago.
    schedule=CronTriggerTimetable("0 8 * * SUN", timezone="UTC", interval=timedelta(days=1)),
    catchup=False,  # one run does what all missed ones would have done
    max_active_runs=1,
    max_active_tasks=1,  # of a run: one Spark application at a time
    default_args=DEFAULT_ARGS,
):
    spark_job("keep_tables", timedelta(hours=4))
