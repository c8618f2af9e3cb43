"""Which day a run stands for, for each way in which Airflow comes to start one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DagRunInfo, TimeRestriction
from rendered_argv import job_argv, render

pytestmark = pytest.mark.usefixtures("settings")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def run_date(dag: Any, logical_date: datetime | None, run_after: datetime) -> str:
    """The date that every task of such a run gets; all of them the same one."""
    (date,) = {job_argv(render(dag, task_id, logical_date, run_after))[-1] for task_id in dag.task_ids}
    return date


def runs(dag: Any, start: str, end: str) -> list[DagRunInfo]:
    """The runs that the DAG's own timetable makes; `airflow backfill create` asks the same way."""
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    return list(scheduled.iter_dagrun_infos_between(utc(start), utc(end)))


def test_the_night_at_three_stands_for_the_utc_day_before(dags: dict[str, Any]) -> None:
    nightly = dags["nightly_scoring"]
    (night,) = runs(nightly, "2024-02-29", "2024-02-29T23:59")
    assert night.run_after == utc("2024-03-01T03:00")
    assert run_date(nightly, night.logical_date, night.run_after) == "2024-02-29"


def test_training_on_monday_stands_for_sunday(dags: dict[str, Any]) -> None:
    training = dags["training"]
    (week,) = runs(training, "2026-01-06", "2026-01-13")
    assert week.run_after == utc("2026-01-12T05:00")
    assert run_date(training, week.logical_date, week.run_after) == "2026-01-11"


def test_upkeep_on_sunday_stands_for_saturday(dags: dict[str, Any]) -> None:
    upkeep = dags["upkeep"]
    (week,) = runs(upkeep, "2026-01-05", "2026-01-12")
    assert week.run_after == utc("2026-01-11T08:00")
    assert run_date(upkeep, week.logical_date, week.run_after) == "2026-01-10"


def test_a_backfill_runs_the_days_it_names(dags: dict[str, Any]) -> None:
    nightly = dags["nightly_scoring"]
    asked = runs(nightly, "2026-01-30", "2026-02-01T23:59")
    assert [run_date(nightly, run.logical_date, run.run_after) for run in asked] == [
        "2026-01-30",
        "2026-01-31",
        "2026-02-01",
    ]


def test_a_run_asked_for_by_date_stands_for_that_date_whenever_it_is_run(dag: Any) -> None:
    assert run_date(dag, utc("1998-04-22"), utc("2026-02-01T09:30")) == "1998-04-22"
    assert run_date(dag, utc("2026-01-31"), utc("2026-02-01T00:00:01")) == "2026-01-31"


def test_a_run_asked_for_now_stands_for_yesterday_as_todays_log_is_not_complete(dag: Any) -> None:
    assert run_date(dag, utc("2026-03-01T09:30"), utc("2026-03-01T09:30:07")) == "2026-02-28"


def test_a_run_without_a_logical_date_stands_for_the_day_before_it_was_due(dag: Any) -> None:
    assert run_date(dag, None, utc("2026-01-01T00:00")) == "2025-12-31"


def test_a_run_that_data_asked_for_stands_for_the_newest_day_of_that_data(dags: dict[str, Any]) -> None:
    asked_by = (("lstmrec.serving_model", "2026-01-18"), ("lstmrec.serving_model", "2026-01-25"))
    for logical_date in (None, utc("2026-02-01T07:00")):
        due = utc("2026-02-01T07:00:03")
        task = render(dags["scoring_by_data"], "score_recommendations", logical_date, due, asked_by)
        assert job_argv(task)[-1] == "2026-01-25"


def test_after_a_pause_only_the_last_night_is_made_up(dags: dict[str, Any]) -> None:
    scheduled = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dags["nightly_scoring"]))
    info = scheduled.timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert (datetime.now(UTC) - info.run_after).total_seconds() <= 24 * 3600
