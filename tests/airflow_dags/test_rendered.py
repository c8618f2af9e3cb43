"""What a task hands to spark-submit once Airflow has rendered it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError
from rendered_argv import REPOSITORY, job_argv, render, spark_submit

DATE = datetime(1998, 4, 22, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 9, 30, tzinfo=UTC)


def test_every_task_runs_the_job_of_its_name_with_the_conf_and_the_run_date(
    dag: Any, settings: pytest.MonkeyPatch
) -> None:
    for task_id in dag.task_ids:
        assert job_argv(render(dag, task_id, DATE, LATER)) == [
            f"/opt/lstmrec/jobs/{task_id}.py",
            "--conf",
            "/opt/lstmrec/conf/base.yaml",
            "--run-date",
            "1998-04-22",
        ]


def test_spark_submit_gets_the_master_and_a_name_that_tells_job_and_day(
    dags: dict[str, Any], settings: pytest.MonkeyPatch
) -> None:
    command = spark_submit(render(dags["training"], "train_model", DATE, LATER))
    name = "lstmrec train_model 1998-04-22"
    assert command[: command.index("/opt/lstmrec/jobs/train_model.py")] == [
        "spark-submit",
        "--master",
        "local[3]",
        "--name",
        name,
    ]


def test_the_jobs_run_in_the_products_own_python(dag: Any, settings: pytest.MonkeyPatch) -> None:
    for task_id in dag.task_ids:
        task = render(dag, task_id, DATE, LATER)
        assert task.env_vars == {"PYSPARK_PYTHON": "/opt/lstmrec/.venv/bin/python"}


def test_an_operator_can_name_another_conf_and_another_python(
    dags: dict[str, Any], settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("AIRFLOW_VAR_LSTMREC_CONF", "/etc/lstmrec/prod.yaml")
    settings.setenv("AIRFLOW_VAR_LSTMREC_PYTHON", "/srv/python")
    task = render(dags["nightly_scoring"], "build_sessions", DATE, LATER)
    assert job_argv(task)[1:3] == ["--conf", "/etc/lstmrec/prod.yaml"]
    assert task.env_vars == {"PYSPARK_PYTHON": "/srv/python"}


def test_on_a_cluster_the_connection_brings_master_queue_and_properties_file(
    dags: dict[str, Any], settings: pytest.MonkeyPatch
) -> None:
    extra = {"deploy-mode": "client", "queue": "nightly", "properties-file": "/etc/lstmrec/spark.conf"}
    connection = {"conn_type": "spark", "host": "yarn", "extra": extra}
    settings.setenv("AIRFLOW_CONN_SPARK_LSTMREC", json.dumps(connection))
    command = spark_submit(render(dags["nightly_scoring"], "build_sessions", DATE, LATER))
    for flag, value in (
        ("--master", "yarn"),
        ("--queue", "nightly"),
        ("--deploy-mode", "client"),
        ("--properties-file", "/etc/lstmrec/spark.conf"),
    ):
        assert command[command.index(flag) + 1] == value


def test_a_standalone_master_keeps_its_port(dags: dict[str, Any], settings: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "spark", "host": "spark://master", "port": 7077}
    settings.setenv("AIRFLOW_CONN_SPARK_LSTMREC", json.dumps(connection))
    command = spark_submit(render(dags["nightly_scoring"], "build_sessions", DATE, LATER))
    assert command[1:3] == ["--master", "spark://master:7077"]


def test_without_the_connection_a_task_stops_instead_of_going_to_yarn(
    dag: Any, settings: pytest.MonkeyPatch
) -> None:
    settings.delenv("AIRFLOW_CONN_SPARK_LSTMREC")
    with pytest.raises(AirflowNotFoundException, match="spark_lstmrec"):
        render(dag, dag.task_ids[0], DATE, LATER)


def test_without_the_home_a_task_stops_and_names_the_variable(dag: Any, settings: pytest.MonkeyPatch) -> None:
    settings.delenv("AIRFLOW_VAR_LSTMREC_HOME")
    with pytest.raises(AirflowRuntimeError, match="lstmrec_home"):
        render(dag, dag.task_ids[0], DATE, LATER)


def test_the_script_prints_the_argv_of_every_task_as_json() -> None:
    script = Path(__file__).with_name("rendered_argv.py")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, str(script), "2024-02-29"], check=True, capture_output=True, text=True, env=environ
    )
    argv = json.loads(done.stdout)
    assert set(argv) == {"nightly_scoring", "training", "upkeep", "scoring_by_data"}
    assert argv["training"]["evaluate_model"] == [
        f"{REPOSITORY}/jobs/evaluate_model.py",
        "--conf",
        f"{REPOSITORY}/conf/base.yaml",
        "--run-date",
        "2024-02-29",
    ]
