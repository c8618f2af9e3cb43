import pytest
import yaml
from pyspark.sql import SparkSession

from lstmrec import config
from tests.jobs.shop import Shop, job

pytestmark = pytest.mark.slow


def test_the_job_leaves_a_conf_file_with_what_a_trial_tried(spark: SparkSession, shop: Shop) -> None:
    base = yaml.safe_load((shop.folder / "base.yaml").read_text())
    tried = {"model.width": {"choices": [8]}, "model.use_item_attributes": {"choices": [True]}}
    space = dict.fromkeys(base["tuning"]["space"]) | tried
    search = {"study": str(shop.folder / "study.db"), "trials": 1, "space": space}
    job("tune_model")(shop.override("search.yaml", {"tuning": search, "training": {"max_epochs": 1}}))
    tuned = config.load(shop.folder / "search-tuned.yaml")
    assert (tuned.model.width, tuned.lake.root) == (8, str(shop.folder / "lake"))
    assert tuned.model.use_item_attributes  # of the shop's own catalogue
