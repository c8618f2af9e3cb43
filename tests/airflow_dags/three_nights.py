"""Three nights of a small log in a real Airflow, with what goes wrong in a real one: `make run-airflow`.

    .venv-airflow/bin/python tests/airflow_dags/three_nights.py --folder var/nights --port 8080

Nothing is replaced: the scheduler runs the jobs by spark-submit. The log ends yesterday. The schedule
runs the last night, whose catalogue comes late and whose log is cut off until it is put right; a backfill
runs the two before. On a terminal Airflow's pages stay up until ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import small_log
from live_airflow import ENDED, Airflow, until
from rendered_argv import REPOSITORY
from webhook import webhook

NIGHTLY = "nightly_scoring"
STARTS_AT = timedelta(hours=3)
PATIENCE_SECONDS = 3600  # for a night, on a machine that is busy with others
WEBHOOK_SECRET = "/services/T0/secret-of-the-webhook"
STORE_SECRET = "secret-of-the-object-store"


@dataclass(frozen=True)
class Night:
    """A run of the nightly DAG: its tasks with their states and tries, and the lists that there were then."""

    run_by: str
    state: str
    tasks: Mapping[str, tuple[str | None, int]]
    lists: Mapping[str, int]


@dataclass(frozen=True)
class Nights:
    """What was seen: the last night failed, and mended; all three by day; the lists before any of them."""

    lists_before: Mapping[str, int]
    failed: Night
    mended: Night
    by_day: Mapping[str, Night]


def days() -> tuple[str, str, str]:
    """The three nights' run dates; the last one is that of the schedule's newest run."""
    newest = (datetime.now(UTC) - STARTS_AT).date() - timedelta(days=1)
    first, second, third = (newest - timedelta(days=back) for back in (2, 1, 0))
    return first.isoformat(), second.isoformat(), third.isoformat()


def settings(folder: Path, webhook_url: str) -> dict[str, str]:
    """What this Airflow is given of its surroundings: two connections, with a secret behind each."""
    properties = folder / "spark.properties"
    local = (REPOSITORY / "conf" / "spark-defaults.conf").read_text(encoding="utf-8")
    properties.write_text(f"{local}\nspark.hadoop.fs.s3a.secret.key {STORE_SECRET}\n", encoding="utf-8")
    spark = {"conn_type": "spark", "host": "local[2]", "extra": {"properties-file": str(properties)}}
    alerts = {"conn_type": "http", "host": webhook_url, "password": WEBHOOK_SECRET}
    return {
        "AIRFLOW_CONN_SPARK_LSTMREC": json.dumps(spark),
        "AIRFLOW_CONN_LSTMREC_ALERTS": json.dumps(alerts),
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "15",
    }


def run(airflow: Airflow, folder: Path) -> Nights:
    """Let three nights go by on the log, lake and model in `folder`, which hold the first day's lists."""
    first, second, third = days()
    before = small_log.published(folder)
    items = folder / "raw" / "items.jsonl.gz"
    (log,) = (folder / "raw" / "events" / f"date={third}").iterdir()
    catalogue, whole = items.read_bytes(), log.read_bytes()
    items.unlink()
    log.write_bytes(whole[: len(whole) // 2])

    say(f"{third}: by the schedule; the catalogue is not there yet, the log is cut off")
    airflow.unpause(NIGHTLY)
    until(lambda: bool(airflow.runs(NIGHTLY)), "the schedule has started a run", PATIENCE_SECONDS)
    (scheduled,) = (run["dag_run_id"] for run in airflow.runs(NIGHTLY))

    def late() -> bool:
        return airflow.tasks(NIGHTLY, scheduled).get("ingest_catalogue", ("", 0))[0] == "up_for_retry"

    until(late, "ingest_catalogue is to be tried again", PATIENCE_SECONDS)
    say("the catalogue has come: the next try mends it")
    items.write_bytes(catalogue)
    failed = ended(airflow, folder, scheduled)

    say(f"{third}: {failed.state}; the log is put right, the failed task cleared")
    log.write_bytes(whole)
    airflow.clear_failed(NIGHTLY, scheduled)
    mended = ended(airflow, folder, scheduled)

    say(f"{first}, {second}: by a backfill")
    airflow.backfill(NIGHTLY, first, second)
    until(lambda: len(airflow.runs(NIGHTLY)) == 3, "the backfill has its runs", PATIENCE_SECONDS)
    by_day = {
        run["logical_date"][:10]: ended(airflow, folder, run["dag_run_id"]) for run in airflow.runs(NIGHTLY)
    }
    return Nights(before, failed, mended, by_day)


def ended(airflow: Airflow, folder: Path, run_id: str) -> Night:
    """The run, once it is at its end."""

    def found() -> dict[str, str]:
        return next(run for run in airflow.runs(NIGHTLY) if run["dag_run_id"] == run_id)

    until(lambda: found()["state"] in ENDED, f"{run_id} has ended", PATIENCE_SECONDS)
    state, run_by = found()["state"], found()["run_type"]
    return Night(run_by, state, airflow.tasks(NIGHTLY, run_id), small_log.published(folder))


def prepare(folder: Path) -> Path:
    """Make the folder anew, with a log that ends yesterday and the first day's model and lists; the conf."""
    first, _, third = days()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"a small log of {small_log.DAYS} days up to {third}, and a model of {first}")
    conf = small_log.make(folder, datetime.fromisoformat(third).date())
    small_log.run_road(conf, first)
    return conf


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of log, lake and Airflow; made anew")
    parser.add_argument("--port", type=int, default=8080, help="of Airflow's pages, on 127.0.0.1")
    flags = parser.parse_args()
    folder = flags.folder.absolute()
    conf = prepare(folder)
    with (
        webhook() as (url, told),
        Airflow(folder / "airflow", conf, flags.port, settings(folder, url)) as airflow,
    ):
        seen = run(airflow, folder)
        for day, night in sorted(seen.by_day.items()):
            rows = night.lists.get(day, 0)
            say(f"  {day}  {night.run_by:<10}{night.state:<9}{rows:>7,} rows of recommendations")
        for _, text in told:
            say(f"the webhook was told: {text}")
        say(f"the page of each night: {folder / 'reports'}")
        say(f"to see them: {airflow.url}/dags/{NIGHTLY}, user admin, password in {airflow.passwords}")
        if sys.stdin.isatty():
            say("ctrl-C ends Airflow")
            with suppress(KeyboardInterrupt):
                signal.pause()
    return 0 if {night.state for night in seen.by_day.values()} == {"success"} else 1


if __name__ == "__main__":
    sys.exit(main())
