from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from lstmrec import config, training
from lstmrec.lake import models
from lstmrec.lake.store import Lake
from tests.jobs.shop import LAST_DAY, Shop

pytestmark = pytest.mark.slow


def test_a_training_starts_from_the_model_that_served_the_day_before(spark: SparkSession, shop: Shop) -> None:
    shop.override("warm.yaml", {"training": {"warm_start": "serving"}})
    settings = config.load(shop.folder / "warm.yaml")

    def ordered(days: int) -> tuple[str | None, str | None]:
        lake = Lake(spark, settings.lake.root, {})
        order = training.order(lake, settings, LAST_DAY + timedelta(days))
        return order.record.started_from, order.warm_start_uri

    serving = models.current(Lake(spark, settings.lake.root, {}), LAST_DAY)
    assert ordered(0) == (None, None)
    assert ordered(1) == (serving.model_version, serving.artifact)
