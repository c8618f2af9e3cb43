"""What the DAG files declare: tasks, arrows, schedule, retries, runbook; and what they must not do."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rendered_argv import DAGS, REPOSITORY

BUILD: dict[str, set[str]] = {
    "ingest_events": set(),
    "build_sessions": {"ingest_events"},
    "build_item_index": {"build_sessions"},
    "build_sequences": {"build_item_index"},
}
NIGHTLY: dict[str, set[str]] = {
    "ingest_catalogue": set(),
    "score_recommendations": {"build_sequences", "ingest_catalogue"},
    "measure_outcomes": {"build_sequences", "ingest_catalogue"},
    "write_report": {"score_recommendations", "measure_outcomes"},
}
TRAINING: dict[str, set[str]] = {
    "ingest_catalogue": set(),
    "train_model": {"build_sequences", "ingest_catalogue"},
    "evaluate_model": {"train_model"},
    "promote_model": {"evaluate_model"},
}
UPKEEP: dict[str, set[str]] = {"keep_tables": set()}
BY_DATA: dict[str, set[str]] = {"score_recommendations": set()}
ARROWS = {
    "nightly_scoring": BUILD | NIGHTLY,
    "training": BUILD | TRAINING,
    "upkeep": UPKEEP,
    "scoring_by_data": BY_DATA,
}

ROAD = re.compile(r"^\| `(\w+)` \| (.*) \| (.*) \|$", re.MULTILINE)
BY_HAND = {"item_rules"}
"""Tables that people write."""
OF_DAYS_BEFORE = {"measure_outcomes": {"recommendations", "recommendation_runs"}}
"""Tables of which a task reads what earlier runs wrote."""


def names(assets: list[Any]) -> set[str]:
    return {asset.name.removeprefix("lstmrec.") for asset in assets}


def words(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def test_the_folder_holds_these_dags_and_each_loads(dags: dict[str, Any]) -> None:
    assert set(dags) == set(ARROWS)


def test_the_arrows_are_these(dag: Any) -> None:
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == ARROWS[dag.dag_id]


def test_no_task_waits_for_the_page_of_a_run_and_it_for_all_so_that_no_list_depends_on_it(
    dags: dict[str, Any],
) -> None:
    nightly = dags["nightly_scoring"]
    page = nightly.get_task("write_report")
    before = {task.task_id for task in page.get_flat_relatives(upstream=True)}
    assert (before, page.downstream_task_ids) == (set(nightly.task_ids) - {"write_report"}, set())


def test_each_task_waits_for_the_tables_that_its_job_reads(dag: Any) -> None:
    for task in dag.tasks:
        before = {upstream.task_id for upstream in task.get_flat_relatives(upstream=True)}
        for other in set(dag.tasks) - {task}:
            of_the_day = names(task.inlets) - OF_DAYS_BEFORE.get(task.task_id, set())
            if of_the_day & names(other.outlets):
                assert other.task_id in before, (task.task_id, other.task_id)


def test_training_writes_all_it_reads_so_that_it_can_be_the_first_on_an_empty_lake(
    dags: dict[str, Any],
) -> None:
    tasks = dags["training"].tasks
    read, written = (set().union(*(names(getattr(t, way)) for t in tasks)) for way in ("inlets", "outlets"))
    assert read - written == set()


def test_the_tables_of_a_task_are_those_that_the_readme_tells_of_its_job(dag: Any) -> None:
    road = {
        job: (words(reads), words(writes))
        for job, reads, writes in ROAD.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    }
    for task in dag.tasks:
        reads, writes = road[task.task_id]
        assert (names(task.inlets), names(task.outlets) - {"serving_model"}) == (reads, writes), task.task_id


def test_every_table_that_is_read_is_written_by_some_task_or_by_people(dags: dict[str, Any]) -> None:
    tasks = [task for dag in dags.values() for task in dag.tasks]
    read, written = (set().union(*(names(getattr(t, way)) for t in tasks)) for way in ("inlets", "outlets"))
    assert read - written == BY_HAND


def test_only_a_promoted_model_is_an_event_that_asks_for_lists(dags: dict[str, Any]) -> None:
    promotes = {task.task_id for task in dags["training"].tasks if "serving_model" in names(task.outlets)}
    (asked_by,) = dags["scoring_by_data"].timetable.asset_condition.objects
    assert (promotes, asked_by.name) == ({"promote_model"}, "lstmrec.serving_model")


def test_a_dag_does_not_start_twice_nor_run_two_spark_jobs_at_once(dag: Any) -> None:
    assert (dag.max_active_runs, dag.max_active_tasks, dag.catchup) == (1, 1, False)
    assert {task.max_active_tis_per_dag for task in dag.tasks} == {1}


def test_each_task_is_tried_three_times_with_a_pause_and_ends_in_time(dag: Any) -> None:
    for task in dag.tasks:
        assert (task.retries, task.retry_delay) == (2, timedelta(minutes=5)), task.task_id
        assert timedelta(0) < task.execution_timeout <= timedelta(hours=8), task.task_id


def test_each_task_goes_through_the_connection_and_is_submitted_anew_on_a_retry(dag: Any) -> None:
    for task in dag.tasks:
        assert (task._conn_id, task.durable) == ("spark_lstmrec", False), task.task_id


@pytest.mark.parametrize(
    ("dag_id", "tags"),
    [
        ("nightly_scoring", "nightly"),
        ("training", "weekly"),
        ("upkeep", "weekly"),
        ("scoring_by_data", "by data"),
    ],
)
def test_tags_tell_the_product_and_the_rhythm(dags: dict[str, Any], dag_id: str, tags: str) -> None:
    assert dags[dag_id].tags == {"lstmrec", tags}


def test_the_runbook_names_the_output_every_task_and_what_a_rerun_does(dags: dict[str, Any]) -> None:
    nightly, training, upkeep, by_data = (dags[dag_id].doc_md for dag_id in ARROWS)
    for task_id in ARROWS["nightly_scoring"]:
        assert f"`{task_id}`" in nightly.partition("## When a task failed")[2]
    assert "- `keep_tables`" in upkeep.partition("## When a task failed")[2]
    assert "- `score_recommendations`" in by_data.partition("## When a task failed")[2]
    for task_id in (
        "ingest_events` to `build_sequences",
        "ingest_catalogue",
        "train_model",
        "evaluate_model",
        "promote_model",
    ):
        assert f"- `{task_id}`" in training.partition("## When a task failed")[2]
    for doc in (nightly, training, upkeep, by_data):
        assert doc.startswith("# ") and "Output: " in doc and "A rerun is safe" in " ".join(doc.split())


def test_dag_files_import_airflow_the_standard_library_and_their_own_helper_only() -> None:
    allowed = {"airflow", "lstmrec_alerts", "lstmrec_tables", "lstmrec_tasks"} | set(sys.stdlib_module_names)
    for file in DAGS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            assert {module.split(".")[0] for module in modules} <= allowed, file.name


def test_dag_files_name_no_place_of_one_machine() -> None:
    for file in DAGS.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert str(REPOSITORY) not in text
        for place in ("/opt/", "/home/", "/usr/", "local[", "spark://"):
            assert place not in text, file.name


def test_parsing_reads_no_variable_and_no_connection(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import rendered_argv\n"
        "rendered_argv.use_fresh_airflow(Path(sys.argv[2]), settings=False)\n"
        "print(sorted(rendered_argv.load_dags()))\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        env=environ,
    )
    assert done.stdout.splitlines()[-1:] == [str(sorted(ARROWS))], done.stderr
    assert not (tmp_path / "airflow.db").exists()
