import logging
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lstmrec.errors import LstmrecError
from lstmrec.learn import artifact, distributed
from tests.learn.tables import spec, training_config
from tests.learn.test_distributed import too_few_row_groups
from tests.learn.test_fit import N_ITEMS, successors

pytestmark = pytest.mark.slow


def test_ranks_train_in_the_tasks_of_a_spark_job(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    training = training_config(processes=2, launcher="spark", max_epochs=2)
    order = spec(tmp_path, successors(120), N_ITEMS, training=training)
    with caplog.at_level(logging.INFO):
        result = distributed.launch(order, spark)
    assert result.processes == 2
    assert artifact.load(result.artifact_uri).manifest.n_items == N_ITEMS
    epochs = [line for line in caplog.messages if line.startswith("epoch ")]
    assert len(epochs) == len(result.history) == 2


def test_a_rank_that_fails_in_spark_ends_the_training_with_its_reason(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(LstmrecError, match=r"training failed on rank \d: sequences: 1 row groups"):
        distributed.launch(too_few_row_groups(tmp_path, "spark"), spark)


def test_the_spark_launcher_wants_a_session(tmp_path: Path) -> None:
    with pytest.raises(LstmrecError, match="there is no Spark session"):
        distributed.launch(too_few_row_groups(tmp_path, "spark"), None)
