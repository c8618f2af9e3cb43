"""What the DAGs share: how one job of this product becomes one Airflow task.

Nothing here names a machine. Where things are comes from Airflow when a task starts: the
connection `spark_lstmrec`, and the variables `lstmrec_home`, `lstmrec_conf` and `lstmrec_python`
(docs/airflow.md says what each means). Parsing a DAG file reads none of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from lstmrec_alerts import Alert
from lstmrec_tables import READS, WRITES, table

if TYPE_CHECKING:
    from airflow.sdk import Context

CONNECTION = "spark_lstmrec"

# The last UTC day whose log is complete. A run stands for the day of its logical date; a run asked
# for "now" (or with no logical date) stands for the day before it was due, since today's log is not
# complete; and a run that new data asked for stands for the day of that data. It depends on the run
# alone, so clearing a task later gives the same day again.
RUN_DATE = (
    "{% set due = dag_run.run_after | ds %}"
    "{% set told = triggering_asset_events.values() | map('list') | sum(start=[]) %}"
    "{% set days = told | map(attribute='extra.run_date') | select | list %}"
    "{{ days | max if days else ds if ds is defined and ds != due else macros.ds_add(due, -1) }}"
)

FAILED = (
    "{{ ti.dag_id }}: {{ ti.task_id }} failed for " + RUN_DATE + " at try {{ ti.try_number }}; what was"
    " published before stays current. Why: the last lines of {{ ti.log_url }} What to do: the DAG's docs."
)

HOME = "{{ var.value.lstmrec_home }}"
CONF = "{{ var.value.get('lstmrec_conf', var.value.lstmrec_home ~ '/conf/base.yaml') }}"
PYTHON = "{{ var.value.get('lstmrec_python', var.value.lstmrec_home ~ '/.venv/bin/python') }}"
# Named by the connection, so that a task without the connection stops; the hook alone would go to YARN.
SPARK_PROPERTIES = "{{ conn.spark_lstmrec.extra_dejson.get('properties-file', '') }}"

DEFAULT_ARGS = {
    "retries": 2,  # the pause between tries is Airflow's [core] default_task_retry_delay: five minutes
    "max_active_tis_per_dag": 1,  # a backfill keeps to its own number of runs at once, not to the DAG's
}


def spark_job(job: str, execution_timeout: timedelta) -> SparkSubmitOperator:
    """The task that runs `jobs/<job>.py` for the run date; its id is the name of the job."""
    return SparkSubmitOperator(
        task_id=job,
        conn_id=CONNECTION,
        name=f"lstmrec {job} {RUN_DATE}",
        application=f"{HOME}/jobs/{job}.py",
        application_args=["--conf", CONF, "--run-date", RUN_DATE],
        env_vars={"PYSPARK_PYTHON": PYTHON},  # Spark's Python workers take python3 of the PATH otherwise
        properties_file=SPARK_PROPERTIES,
        execution_timeout=execution_timeout,
        inlets=[table(name) for name in READS[job]],
        outlets=[table(name) for name in WRITES[job]],
        post_execute=say_run_date,
        on_failure_callback=Alert(FAILED),
        durable=False,  # a retry submits anew: a job is safe to run twice, and YARN needs no REST polling
    )


def say_run_date(context: Context, _result: Any = None) -> None:
    """Let the events of the tables that the task has written say of which day they are."""
    task = context["task"]
    for asset in task.outlets:
        context["outlet_events"][asset].extra["run_date"] = task.application_args[-1]


def build_sequences() -> SparkSubmitOperator:
    """The tasks from the raw log to `sequences`; returns the last one, for the arrow that follows."""
    ingest_events = spark_job("ingest_events", timedelta(hours=2))
    build_sessions = spark_job("build_sessions", timedelta(hours=2))
    build_item_index = spark_job("build_item_index", timedelta(minutes=30))
    sequences = spark_job("build_sequences", timedelta(hours=2))

    ingest_events >> build_sessions >> build_item_index >> sequences
    return sequences
