"""A whole benchmark of quality in a test: on the tests' Spark session, by flags as they are typed."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.benchmarks import quality


class Unstopped:
    """The tests' Spark session, which goes on after the benchmark."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def stop(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spark, name)


def figures_of(
    benchmark: ModuleType, flags: list[str], out: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What the benchmark writes to `out`."""
    monkeypatch.setattr(sys, "argv", [benchmark.__name__, *flags, "--out", str(out)])
    monkeypatch.setattr(quality, "open_spark", lambda _: Unstopped(spark))
    benchmark.main()
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures
