"""# Nightly top-N

Output: `recommendations` of the run date, one row per user and rank, and on the way there the day's
`events`, `sessions`, `item_index`, `sequences`, `items` and `users`; beside them the `outcomes` of the
lists of the day before; at the end the page of the run, in `report.folder`.

Starts at 03:00 UTC and stands for the UTC day before, the last one whose log is complete. The day
is the run's logical date; a run triggered by hand for "now" takes yesterday.

**If it fails, nothing is half done.** Each write to a table is one commit, and the lists of a day are
replaced by `score_recommendations` alone, so yesterday's lists stay served. **A rerun is safe:** clear
the failed task with what follows it, or trigger the day again; the same log gives the same rows.

Every task is tried three times, five minutes apart. The last lines of its log say what is wrong, where,
and what to do.

## When a task failed

Put the cause right, then clear the task with what follows it.

- `ingest_events`: is there a log folder for the day? Is the log as `source` in the configuration says?
  How full is `events_quarantine`, and with which reason?
- `ingest_catalogue`: are the files of items and users that the configuration names there, and whole?
  Only the scoring waits for them.
- `build_sessions`, `build_sequences`: memory and disk of the Spark executors; the contract named in
  the last line.
- `build_item_index`: the contract named in the last line. An item's index never changes its meaning:
  do not edit or drop the table.
- `score_recommendations`: is there a model (before the first night, run the `training` DAG once)? Was
  it trained with this `item_index`? Which check did the lists fail?
- `measure_outcomes`: no list waits for it. Without lists of the day before it measures nothing and does not
  fail; the contract or the table named in the last line.
- `write_report`: the lists are out, and no task waits for the page. Can `report.folder` be written? Where a
  task before it failed there is no page: `jobs/write_report.py`, with the flags of the task, makes one.

A task that ends at its time limit was killed: its Spark job wrote nothing after its last commit.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, cross_downstream
from lstmrec_tasks import DEFAULT_ARGS, build_sequences, spark_job

with DAG(
    "nightly_scoring",
    doc_md=__doc__,
    tags=["lstmrec", "nightly"],
    # The logical date is the start of the interval: the day before. Airflow's default for a cron
    # string would be the moment of the run, and a backfill would then be one day off.
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="UTC"),
    catchup=False,  # nights missed while paused are asked for by a backfill, not made up at once
    max_active_runs=1,
    max_active_tasks=1,  # of a run: one Spark application at a time
    default_args=DEFAULT_ARGS,
):
    ingest_catalogue = spark_job("ingest_catalogue", timedelta(minutes=30))
    score_recommendations = spark_job("score_recommendations", timedelta(hours=2))
    measure_outcomes = spark_job("measure_outcomes", timedelta(hours=1))
    write_report = spark_job("write_report", timedelta(minutes=30))

    cross_downstream([build_sequences(), ingest_catalogue], [score_recommendations, measure_outcomes])
    [score_recommendations, measure_outcomes] >> write_report
