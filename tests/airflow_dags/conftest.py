"""A fresh Airflow for the tests; in an environment without Airflow this folder holds no tests."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("airflow") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    import rendered_argv

    # Airflow reads these once, at its first import, so they are set before any test module is.
    _home = tempfile.TemporaryDirectory(prefix="airflow-")
    rendered_argv.use_fresh_airflow(Path(_home.name))


@pytest.fixture(scope="session")
def dags() -> dict[str, Any]:
    return rendered_argv.load_dags()


@pytest.fixture(params=["nightly_scoring", "training", "upkeep", "scoring_by_data"])
def dag(request: pytest.FixtureRequest, dags: dict[str, Any]) -> Any:
    return dags[request.param]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An operator's settings, none of them of this machine; a test changes what it is about."""
    monkeypatch.setenv("AIRFLOW_VAR_LSTMREC_HOME", "/opt/lstmrec")
    monkeypatch.delenv("AIRFLOW_VAR_LSTMREC_CONF", raising=False)
    monkeypatch.delenv("AIRFLOW_VAR_LSTMREC_PYTHON", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LSTMREC", '{"conn_type": "spark", "host": "local[3]"}')
    yield monkeypatch
