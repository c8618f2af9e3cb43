"""Text files beside the lake: catalogue and users, as lines."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.errors import BadInput


def read_lines(spark: SparkSession, path: str | None, key: str) -> DataFrame:
    """payload: each line of the file (or folder of files) `path`, none where it is null.

    Raises
    ------
    BadInput
        Where there is no such path: names `key`, the configuration key that gave it.
    """
    if path is None:
        return spark.createDataFrame([], f"{c.PAYLOAD} string")
    with naming_the_path(f"{key}: no file {path}; set it to the file, or to null where there is none"):
        return spark.read.text(path).select(F.col("value").alias(c.PAYLOAD))


@contextmanager
def naming_the_path(message: str) -> Iterator[None]:
    """Turn Spark's failure to find a path into BadInput with `message`."""
    try:
        yield
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        raise BadInput(message) from None
