"""What three_nights.py shows, looked at; and lists that new data asks for: `make airflow-drill`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import three_nights
from live_airflow import Airflow, free_port
from three_nights import Nights
from webhook import webhook

pytestmark = pytest.mark.deep

FIRST, SECOND, THIRD = three_nights.days()


@dataclass(frozen=True)
class Drill:
    """All that one run of it leaves to look at."""

    nights: Nights
    asked_for: dict[str, int]
    told: list[tuple[str, str]]
    logs: str
    pages: dict[str, str]
    processes_left: list[str]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("drill") / "nights"
    conf, home = three_nights.prepare(folder), folder / "airflow"
    with webhook() as (url, told):
        with Airflow(home, conf, free_port(), three_nights.settings(folder, url)) as airflow:
            nights = three_nights.run(airflow, folder)
            asked_for = lists_that_data_asks_for(airflow)
        pages = {page.stem: page.read_text(encoding="utf-8") for page in (folder / "reports").iterdir()}
        yield Drill(nights, asked_for, told, airflow.logs(), pages, processes_of(home))


def lists_that_data_asks_for(airflow: Airflow) -> dict[str, int]:
    """Say, as promote_model does, that a model serves; task -> tries of what follows.

    Of the second day: the backfill ended with it, so `sequences` are of that day, as they are of the
    training's own day after a training.
    """
    airflow.unpause("scoring_by_data")
    airflow.say_event("lstmrec.serving_model", {"run_date": SECOND})
    (run,) = airflow.wait_for_runs("scoring_by_data", 1, three_nights.PATIENCE_SECONDS)
    assert run["state"] == "success"
    return {task: tries for task, (_, tries) in airflow.tasks("scoring_by_data", run["dag_run_id"]).items()}


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes that were started for this Airflow."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if f"AIRFLOW_HOME={home}\0" in (process / "environ").read_text(errors="replace"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_what_is_put_right_between_two_tries_is_mended_by_the_retry_and_nobody_is_told(drill: Drill) -> None:
    assert drill.nights.failed.tasks["ingest_catalogue"] == ("success", 2)
    assert not [text for _, text in drill.told if "ingest_catalogue" in text]


def test_what_stays_wrong_is_tried_three_times_and_told_once(drill: Drill) -> None:
    tasks = drill.nights.failed.tasks
    assert (drill.nights.failed.state, tasks["ingest_events"]) == ("failed", ("failed", 3))
    after = ("build_sessions", "score_recommendations", "measure_outcomes", "write_report")
    assert {tasks[task][0] for task in after} == {"upstream_failed"}
    ((path, text),) = drill.told
    assert path == three_nights.WEBHOOK_SECRET
    assert text.startswith(f"nightly_scoring: ingest_events failed for {THIRD} at try 3; ")


def test_the_log_of_the_failed_task_names_the_file_that_is_wrong(drill: Drill) -> None:
    assert f"date={THIRD}/" in drill.logs.partition("ingest_events: ")[2].partition("\n")[0]


def test_while_a_night_fails_the_lists_before_stay_current(drill: Drill) -> None:
    assert drill.nights.failed.lists == drill.nights.lists_before
    assert list(drill.nights.lists_before) == [FIRST]


def test_a_cleared_task_completes_the_day(drill: Drill) -> None:
    assert {state for state, _ in drill.nights.mended.tasks.values()} == {"success"}
    assert drill.nights.mended.lists[THIRD] > 0


def test_three_nights_one_by_the_schedule_and_two_by_a_backfill_have_their_lists(drill: Drill) -> None:
    by_day = drill.nights.by_day
    assert {day: (night.run_by, night.state) for day, night in by_day.items()} == {
        FIRST: ("backfill", "success"),
        SECOND: ("backfill", "success"),
        THIRD: ("scheduled", "success"),
    }
    at_the_end = by_day[SECOND].lists
    assert list(at_the_end) == [FIRST, SECOND, THIRD]
    # not the same: a device whose user has logged in on it since has no list of its own any more
    assert 0 < at_the_end[FIRST] <= drill.nights.lists_before[FIRST]


def test_each_night_leaves_the_page_of_its_day(drill: Drill) -> None:
    assert sorted(drill.pages) == [FIRST, SECOND, THIRD]
    for day, page in drill.pages.items():
        assert f"<title>Recommendations of synthetic, {day}</title>" in page


def test_a_model_that_serves_asks_for_lists_of_its_day(drill: Drill) -> None:
    assert drill.asked_for == {"score_recommendations": 1}
    assert f"lstmrec score_recommendations {SECOND}" in drill.logs


def test_no_secret_of_a_connection_or_a_properties_file_is_in_any_log(drill: Drill) -> None:
    assert "spark.properties" in drill.logs
    assert three_nights.WEBHOOK_SECRET not in drill.logs
    assert three_nights.STORE_SECRET not in drill.logs


def test_its_end_leaves_no_process(drill: Drill) -> None:
    assert drill.processes_left == []
