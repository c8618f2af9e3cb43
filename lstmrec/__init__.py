"""Batch recommendations on a data lake: from the raw click log to the lists of tonight."""

__version__ = "0.1.0"
