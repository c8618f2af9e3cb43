"""The planted lake, made once and read by all tests of the report."""

import pytest
from pyspark.sql import SparkSession

from lstmrec.lake.store import Lake
from tests.report.planted import plant


@pytest.fixture(scope="session")
def planted(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("report")
    lake = Lake(spark, str(folder / "lake"), {"job": "tests", "run_date": "2026-01-27"})
    plant(lake, folder / "artifacts" / "new")
    return lake
