"""A real Airflow on loopback, as `make airflow` starts it, told what to do by its public API."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from rendered_argv import REPOSITORY

ENDED = ("success", "failed")


class Airflow:
    """Scheduler, dag-processor, api-server and triggerer, from entering to leaving the context."""

    def __init__(self, home: Path, conf: Path, port: int, settings: Mapping[str, str]) -> None:
        self.home, self.url = home, f"http://127.0.0.1:{port}"
        own = {"AIRFLOW_HOME": str(home), "AIRFLOW_PORT": str(port), "CONF": str(conf)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self._environ = {**inherited, **settings, **own}
        self._api = httpx.Client(base_url=f"{self.url}/api/v2/", timeout=60)

    def __enter__(self) -> Airflow:
        self._server = subprocess.Popen(
            [REPOSITORY / ".ci" / "airflow.sh"], env=self._environ, start_new_session=True
        )
        until(self._is_healthy, "all parts of Airflow are healthy", 300)
        password = json.loads(self.passwords.read_text(encoding="utf-8"))["admin"]
        told = httpx.post(f"{self.url}/auth/token", json={"username": "admin", "password": password})
        self._api.headers["Authorization"] = f"Bearer {told.raise_for_status().json()['access_token']}"
        until(lambda: self._get("dags")["total_entries"] >= 1, "the DAGs are read", 300)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.terminate()  # not ctrl-C: what a script starts in the background does not hear it
        self._server.wait(timeout=120)
        self._api.close()

    @property
    def passwords(self) -> Path:
        return self.home / "simple_auth_manager_passwords.json.generated"

    def unpause(self, dag_id: str) -> None:
        until(lambda: self._api.get(f"dags/{dag_id}").is_success, f"{dag_id} is read", 120)
        self._ask("PATCH", f"dags/{dag_id}", {"is_paused": False})

    def backfill(self, dag_id: str, first: str, last: str) -> None:
        """Ask for all days from `first` to `last`, those that were run already too, one at a time."""
        body = {
            "dag_id": dag_id,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T23:59:00Z",
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
        }
        self._ask("POST", "backfills", body)

    def clear_failed(self, dag_id: str, run_id: str) -> None:
        """Let the failed tasks of a run, and those after them, be done again."""
        body = {"dag_run_id": run_id, "dry_run": False, "only_failed": True, "include_downstream": True}
        self._ask("POST", f"dags/{dag_id}/clearTaskInstances", body)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, oldest day first."""
        return list(self._get(f"dags/{dag_id}/dagRuns?order_by=logical_date")["dag_runs"])

    def wait_for_runs(self, dag_id: str, count: int, seconds: int) -> list[dict[str, Any]]:
        """The same, once there are `count` and all have ended."""

        def ended() -> bool:
            runs = self.runs(dag_id)
            return len(runs) >= count and all(run["state"] in ENDED for run in runs)

        until(ended, f"{count} runs of {dag_id} have ended", seconds)
        return self.runs(dag_id)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, tuple[str | None, int]]:
        """Task -> its state, and how many tries it took."""
        found = self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: (task["state"], task["try_number"]) for task in found}

    def say_event(self, asset: str, extra: Mapping[str, str]) -> None:
        """Tell Airflow that an asset is new, as a task that writes it does."""
        (known,) = (one for one in self._get(f"assets?name_pattern={asset}")["assets"])
        self._ask("POST", "assets/events", {"asset_id": known["id"], "extra": extra})

    def logs(self) -> str:
        """All that Airflow and its tasks wrote to their logs."""
        files = sorted(self.home.rglob("*.log"))
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def _get(self, path: str) -> Any:
        return self._api.get(path).raise_for_status().json()

    def _ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._api.request(method, path, json=body)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def _is_healthy(self) -> bool:
        if (code := self._server.poll()) is not None:
            raise RuntimeError(f"Airflow ended with {code}; its logs are in {self.home}")
        try:
            parts = self._api.get("monitor/health").json()
        except httpx.TransportError:
            return False
        return all(part["status"] == "healthy" for part in parts.values())


def until(holds: Callable[[], bool], what: str, seconds: int) -> None:
    """Wait until something holds; after so many seconds without it, stop and say what did not come."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
