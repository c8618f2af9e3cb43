"""The hash that ids and keys are made of."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def digest(text: Column) -> Column:
    """The first 128 bits of the SHA-256 of `text`, in hex."""
    return F.substring(F.sha2(text, 256), 1, 32)
