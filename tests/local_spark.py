"""Spark on this machine, for the tests and the benchmarks: what spark-submit's flags are to a job."""

import os
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from unittest.mock import patch

from pyspark.sql import SparkSession

from lstmrec import runtime
from lstmrec.sections import SparkConfig

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def local_session(name: str, settings: SparkConfig, conf: Mapping[str, str] = NOTHING) -> SparkSession:
    """The jobs' session, with two cores and `conf`. They count for the first session of a process alone."""
    flags = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
    submit = shlex.join(["--master", "local[2]", *flags, "pyspark-shell"])
    with patch.dict(os.environ, {"PYSPARK_SUBMIT_ARGS": submit}):
        return runtime.spark_session(name, settings)
