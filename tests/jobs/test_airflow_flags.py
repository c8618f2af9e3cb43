"""The flags that Airflow's tasks give are flags that the jobs take."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from tests.jobs.shop import ROOT, job

pytestmark = pytest.mark.slow


def test_each_rendered_task_is_a_call_that_its_job_can_parse() -> None:
    rendered = subprocess.run(
        [str(ROOT / ".venv-airflow/bin/python"), "tests/airflow_dags/rendered_argv.py", "1998-04-22"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert rendered.returncode == 0, rendered.stderr
    dags = json.loads(rendered.stdout)
    assert set(dags) == {"nightly_scoring", "training", "upkeep", "scoring_by_data"}
    for tasks in dags.values():
        for task, (application, *flags) in tasks.items():
            assert Path(application).name == f"{task}.py"
            parsed = job(task).parser().parse_args(flags)
            assert (parsed.run_date, parsed.conf.name) == (date(1998, 4, 22), "base.yaml")
