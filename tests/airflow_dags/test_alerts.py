"""Who is told of a task that has failed for good, and what."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.error import URLError

import pytest
from live_airflow import free_port
from rendered_argv import template_context
from webhook import webhook

NIGHT = datetime(2026, 1, 31, 3, tzinfo=UTC)
DUE = datetime(2026, 2, 1, 3, tzinfo=UTC)
TEXT = (
    "nightly_scoring: build_sessions failed for 2026-01-31 at try 3; what was published before stays current."
    " Why: the last lines of"
    " http://localhost:8080/dags/nightly_scoring/runs/rendered/tasks/build_sessions?try_number=3"
    " What to do: the DAG's docs."
)


def fail(dags: dict[str, Any], task_id: str, night: datetime = NIGHT, due: datetime = DUE) -> None:
    context = template_context(dags["nightly_scoring"], task_id, night, due)
    (alert,) = dags["nightly_scoring"].get_task(task_id).on_failure_callback
    alert(context)


def test_every_task_has_an_alert_of_its_own_and_only_for_the_last_try(dag: Any) -> None:
    for task in dag.tasks:
        assert [type(alert).__name__ for alert in task.on_failure_callback] == ["Alert"]
        assert not task.on_retry_callback


def test_the_webhook_of_the_connection_is_told_task_day_and_log(
    dags: dict[str, Any], settings: pytest.MonkeyPatch
) -> None:
    with webhook() as (url, told):
        connection = {"conn_type": "http", "host": url, "password": "/services/secret"}
        settings.setenv("AIRFLOW_CONN_LSTMREC_ALERTS", json.dumps(connection))
        fail(dags, "build_sessions")
        fail(dags, "build_sessions", NIGHT.replace(day=30), DUE.replace(month=1, day=31))
    assert told[0] == ("/services/secret", TEXT)
    assert "failed for 2026-01-30" in told[1][1]


def test_a_webhook_that_does_not_answer_is_an_error_after_the_log_was_told_and_shows_no_secret(
    dags: dict[str, Any], settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = {"conn_type": "http", "host": f"http://127.0.0.1:{free_port()}", "password": "/secret"}
    settings.setenv("AIRFLOW_CONN_LSTMREC_ALERTS", json.dumps(connection))
    with pytest.raises(URLError, match="Connection refused") as refused:
        fail(dags, "build_sessions")
    assert f"alert: {TEXT}" in (said := capsys.readouterr().out)
    assert "secret" not in f"{said} {refused.value}"


def test_without_the_connection_the_log_alone_is_told(
    dags: dict[str, Any], settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(dags, "build_sessions")
    assert f"alert: {TEXT}" in capsys.readouterr().out
