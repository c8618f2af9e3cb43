"""What the tests share: one Spark session, a fresh lake for each test, and the base configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser
from pyspark.sql import SparkSession

from lstmrec import config as configuration
from lstmrec.config import Config
from lstmrec.lake.store import Lake
from tests.browser import chromium
from tests.jobs.shop import Shop, job, make_shop
from tests.local_spark import local_session

ROOT = Path(__file__).parents[1]

# `make test-deep` takes the second: the property tests without a number of examples of their own
settings.register_profile("ci", max_examples=3, derandomize=True)
settings.register_profile("deep", max_examples=60)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def config() -> Config:
    return configuration.load(ROOT / "conf" / "base.yaml")


@pytest.fixture(scope="session")
def spark(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    warehouse = str(tmp_path_factory.mktemp("warehouse"))
    session = local_session(
        "tests",
        config.spark,
        {
            "spark.sql.warehouse.dir": warehouse,
            "spark.driver.memory": "3g",  # of all jobs of all tests, one after the other
        },
    )
    yield session
    session.stop()


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, str(tmp_path / "lake"), {"job": "tests", "run_date": "2026-01-31"})


@pytest.fixture(scope="session")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small shop after one run of the whole road; tests read it, and leave its rows as they were."""
    made = make_shop(tmp_path_factory.mktemp("shop"))
    made.hide(spark)
    job("run_road")(made.flags())
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; what wants it is skipped where there is none."""
    with chromium() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _forget_what_jobs_keep(request: pytest.FixtureRequest) -> Iterator[None]:
    """A job ends with its process; here all share one, and what they persisted would fill it."""
    yield
    if "spark" in request.fixturenames:
        request.getfixturevalue("spark").catalog.clearCache()
