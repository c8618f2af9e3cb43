"""Three nights under a real scheduler, with what goes wrong in a real one: `make airflow-drill`.

Nothing is replaced: the scheduler runs the jobs by spark-submit, on a small log whose files are spoilt and
mended. The cron is off, so that the drill says in which order the days come.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import small_log
from live_airflow import Airflow, free_port, until
from rendered_argv import REPOSITORY
from webhook import webhook

pytestmark = pytest.mark.deep

THREE_DAYS = [date(2026, 1, 7), date(2026, 1, 8), date(2026, 1, 9)]
FIRST, SECOND, THIRD = (day.isoformat() for day in THREE_DAYS)
SECRETS = {"webhook": "/services/T0/secret-of-the-webhook", "store": "secret-of-the-object-store"}


@dataclass
class Drill:
    """What the tests look at: one run of it all is enough."""

    training: dict[str, Any] = field(default_factory=dict)
    promoted: list[dict[str, Any]] = field(default_factory=list)
    after_training: dict[str, int] = field(default_factory=dict)
    failed: dict[str, Any] = field(default_factory=dict)
    while_failed: dict[str, int] = field(default_factory=dict)
    cleared: dict[str, Any] = field(default_factory=dict)
    nights: list[dict[str, Any]] = field(default_factory=list)
    at_the_end: dict[str, int] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    logs: str = ""


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder, seen = tmp_path_factory.mktemp("drill"), Drill()
    conf = small_log.make(folder, THREE_DAYS[-1])
    with (
        webhook() as (url, seen.told),
        Airflow(folder / "home", conf, free_port(), settings_of(folder, url)) as airflow,
    ):
        train(airflow, folder, seen)
        fail_and_mend_the_third_night(airflow, folder, seen)
        backfill_two_nights(airflow, folder, seen)
    seen.logs = airflow.logs()
    yield seen


def settings_of(folder: Path, webhook_url: str) -> dict[str, str]:
    """Settings of this Airflow: its connections, with a secret in each."""
    properties = folder / "spark.properties"
    local = (REPOSITORY / "conf" / "spark-defaults.conf").read_text(encoding="utf-8")
    properties.write_text(f"{local}\nspark.hadoop.fs.s3a.secret.key {SECRETS['store']}\n", encoding="utf-8")
    spark = {"conn_type": "spark", "host": "local[2]", "extra": {"properties-file": str(properties)}}
    alerts = {"conn_type": "http", "host": webhook_url, "password": SECRETS["webhook"]}
    return {
        "AIRFLOW_CONN_SPARK_LSTMREC": json.dumps(spark),
        "AIRFLOW_CONN_LSTMREC_ALERTS": json.dumps(alerts),
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "15",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    }


def train(airflow: Airflow, folder: Path, seen: Drill) -> None:
    """Train for the first day on an empty lake; the promoted model asks for that day's lists."""
    airflow.unpause("training")
    airflow.unpause("scoring_by_data")
    run = airflow.trigger("training", FIRST)
    airflow.wait_for_runs("training", 1, seconds=1800)
    seen.training = airflow.tasks("training", run)
    airflow.wait_for_runs("scoring_by_data", 1, seconds=600)
    seen.promoted = airflow.events("lstmrec.serving_model")
    seen.after_training = small_log.published(folder)


def fail_and_mend_the_third_night(airflow: Airflow, folder: Path, seen: Drill) -> None:
    """A catalogue that comes between two tries, and a log file that is cut off until it is put right."""
    items = folder / "raw" / "items.jsonl.gz"
    (log,) = (folder / "raw" / "events" / f"date={THIRD}").iterdir()
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    catalogue = items.read_bytes()
    items.unlink()

    airflow.unpause("nightly_scoring")
    run = airflow.trigger("nightly_scoring", THIRD)

    def catalogue_failed_once() -> bool:
        return airflow.tasks("nightly_scoring", run).get("ingest_catalogue", ("", 0))[0] == "up_for_retry"

    until(catalogue_failed_once, "ingest_catalogue is to be tried again", 600)
    items.write_bytes(catalogue)
    airflow.wait_for_runs("nightly_scoring", 1, seconds=900)
    seen.failed = airflow.tasks("nightly_scoring", run)
    seen.while_failed = small_log.published(folder)

    log.write_bytes(whole)
    assert gzip.decompress(log.read_bytes())
    airflow.clear_failed("nightly_scoring", run)
    airflow.wait_for_runs("nightly_scoring", 1, seconds=900)
    seen.cleared = airflow.tasks("nightly_scoring", run)


def backfill_two_nights(airflow: Airflow, folder: Path, seen: Drill) -> None:
    airflow.backfill("nightly_scoring", FIRST, SECOND)
    seen.nights = airflow.wait_for_runs("nightly_scoring", 3, seconds=1800)
    seen.at_the_end = small_log.published(folder)


def test_training_is_the_first_to_run_on_an_empty_lake_and_its_gate_lets_the_model_through(
    drill: Drill,
) -> None:
    assert {state for state, _ in drill.training.values()} == {"success"}
    assert drill.training.keys() >= {"train_model", "evaluate_model", "promote_model"}


def test_a_promoted_model_asks_for_the_lists_of_the_day_it_was_trained_for(drill: Drill) -> None:
    assert [(event["source_task_id"], event["extra"]["run_date"]) for event in drill.promoted] == [
        ("promote_model", FIRST)
    ]
    assert list(drill.after_training) == [FIRST]


def test_what_is_put_right_between_two_tries_is_mended_by_the_retry_and_nobody_is_told(drill: Drill) -> None:
    assert drill.failed["ingest_catalogue"] == ("success", 2)
    assert not [text for _, text in drill.told if "ingest_catalogue" in text]


def test_what_stays_wrong_is_tried_three_times_and_told_once(drill: Drill) -> None:
    assert drill.failed["ingest_events"] == ("failed", 3)
    assert {drill.failed[task][0] for task in ("build_sessions", "score_recommendations")} == {
        "upstream_failed"
    }
    ((path, text),) = drill.told
    assert path == SECRETS["webhook"]
    assert text.startswith(f"nightly_scoring: ingest_events failed for {THIRD} at try 3; ")


def test_the_log_of_a_failed_task_names_the_file_that_is_wrong(drill: Drill) -> None:
    assert f"date={THIRD}/" in drill.logs.partition("ingest_events: ")[2].partition("\n")[0]


def test_while_a_night_fails_the_lists_before_stay_current(drill: Drill) -> None:
    assert drill.while_failed == drill.after_training


def test_a_cleared_task_completes_the_day(drill: Drill) -> None:
    assert {state for state, _ in drill.cleared.values()} == {"success"}


def test_three_nights_two_of_them_by_a_backfill_each_have_their_lists(drill: Drill) -> None:
    assert [(run["logical_date"][:10], run["run_type"], run["state"]) for run in drill.nights] == [
        (FIRST, "backfill", "success"),
        (SECOND, "backfill", "success"),
        (THIRD, "manual", "success"),
    ]
    assert list(drill.at_the_end) == [FIRST, SECOND, THIRD]
    assert drill.at_the_end[FIRST] == drill.after_training[FIRST] > 0


def test_no_secret_of_a_connection_or_a_properties_file_is_in_any_log(drill: Drill) -> None:
    assert "spark.properties" in drill.logs
    assert [name for name, secret in SECRETS.items() if secret in drill.logs] == []
