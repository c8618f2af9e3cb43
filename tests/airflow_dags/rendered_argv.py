"""Print what every task would hand to spark-submit, as JSON: {dag_id: {task_id: [application, args...]}}.

    .venv-airflow/bin/python tests/airflow_dags/rendered_argv.py 1998-04-22 > argv.json

The templates are rendered by Airflow itself, and the command line is built by the operator's own
hook. Variables and the connection come from the environment where it names them (AIRFLOW_VAR_...,
AIRFLOW_CONN_SPARK_LSTMREC), else they are those of a checkout: this repository, `local[2]`.
Airflow's own files go to a temporary folder.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = REPOSITORY / "airflow_dags"


def use_fresh_airflow(home: Path, settings: bool = True) -> None:
    """Point Airflow at an empty `home` and at our DAGs, `settings` at this checkout where none is given.

    To be called before the first import of airflow, which reads all this once.
    """
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    )
    if settings:
        os.environ.setdefault("AIRFLOW_VAR_LSTMREC_HOME", str(REPOSITORY))
        os.environ.setdefault("AIRFLOW_CONN_SPARK_LSTMREC", '{"conn_type": "spark", "host": "local[2]"}')


def load_dags() -> dict[str, DAG]:
    """The DAGs of the folder by id; a file that does not load stops here with its own message."""
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(DAGS, bundle_path=DAGS)
    if bag.import_errors:
        raise SystemExit("\n".join(f"{file}: {error}" for file, error in bag.import_errors.items()))
    return dict(bag.dags)


def render(
    dag: DAG,
    task_id: str,
    logical_date: datetime | None,
    run_after: datetime,
    asked_by: tuple[tuple[str, str], ...] = (),
) -> Any:
    """The task with its templates rendered, as Airflow renders it in a run of that date, due then.

    `asked_by` are the events that the run was started for: an asset's name and its run date.
    """
    context = template_context(dag, task_id, logical_date, run_after, asked_by)
    context["task"].render_template_fields(context)
    return context["task"]


def template_context(
    dag: DAG,
    task_id: str,
    logical_date: datetime | None,
    run_after: datetime,
    asked_by: tuple[tuple[str, str], ...] = (),
) -> Any:
    """What Airflow tells a task, and its callbacks, of such a run."""
    from airflow.api_fastapi.execution_api.datamodels.taskinstance import DagRun, TIRunContext
    from airflow.sdk import timezone
    from airflow.sdk.api.datamodels._generated import (
        AssetEventDagRunReference,
        AssetReferenceAssetEventDagRun,
    )
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    run = DagRun.model_construct(
        dag_id=dag.dag_id,
        run_id="rendered",
        logical_date=timezone.coerce_datetime(logical_date),
        run_after=timezone.coerce_datetime(run_after),
        data_interval_start=None,
        data_interval_end=None,
        partition_key=None,
        partition_date=None,
        consumed_asset_events=[
            AssetEventDagRunReference.model_construct(
                asset=AssetReferenceAssetEventDagRun(name=name, uri=name, extra={}),
                extra={"run_date": day},
                source_aliases=[],
                source_dag_id="another",
                source_task_id="its_task",
                source_run_id="its_run",
                source_map_index=-1,
                timestamp=run_after,
            )
            for name, day in asked_by
        ],
        conf={},
    )
    task = dag.get_task(task_id).prepare_for_execution()
    return RuntimeTaskInstance.model_construct(
        id=None,
        task_id=task_id,
        dag_id=dag.dag_id,
        run_id="rendered",
        map_index=-1,
        task=task,
        _ti_context_from_server=TIRunContext.model_construct(
            dag_run=run, max_tries=0, variables=[], connections=[], task_reschedule_count=0
        ),
        try_number=3,
        max_tries=2,
    ).get_template_context()


def spark_submit(task: Any) -> list[str]:
    """The whole command line of a rendered task, as the operator's hook would start it."""
    return list(task._get_hook()._build_spark_submit_command(task.application))


def job_argv(task: Any) -> list[str]:
    """Of that command line, what the job sees: its file, then its flags."""
    command = spark_submit(task)
    return command[command.index(task.application) :]


def main(date: str) -> None:
    logical_date = datetime.fromisoformat(date).replace(tzinfo=UTC)
    with tempfile.TemporaryDirectory() as home, redirect_stdout(sys.stderr):
        use_fresh_airflow(Path(home))
        argv = {
            dag_id: {
                task_id: job_argv(render(dag, task_id, logical_date, run_after=datetime.now(UTC)))
                for task_id in dag.task_ids
            }
            for dag_id, dag in load_dags().items()
        }
    print(json.dumps(argv, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} YYYY-MM-DD")
    main(sys.argv[1])
