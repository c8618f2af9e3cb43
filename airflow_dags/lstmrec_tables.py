"""The tables as Airflow's assets: which job reads and which writes which, and what a schedule may wait for.

An asset has the name that its table has in Spark's catalog. Where the lake is does not show in it: one
lake, one Airflow.
"""

from __future__ import annotations

from airflow.sdk import Asset

READS = {
    "ingest_events": [],
    "ingest_catalogue": [],
    "build_sessions": ["events"],
    "build_item_index": ["sessions"],
    "build_sequences": ["sessions", "item_index"],
    "train_model": ["sequences", "item_index", "items"],
    "evaluate_model": ["sequences", "items", "users"],
    "promote_model": ["metrics", "model_runs"],
    "score_recommendations": ["sequences", "sessions", "items", "users", "item_rules"],
    "measure_outcomes": ["recommendations", "recommendation_runs", "sessions", "users"],
    "write_report": [
        *("run_accounting", "sessions", "items", "item_index", "model_runs", "metrics", "comparisons"),
        *("recommendations", "recommendation_runs", "outcomes"),
    ],
    "keep_tables": ["model_runs"],
}

WRITES = {
    "ingest_events": ["events", "events_quarantine", "ingested_files", "run_accounting"],
    "ingest_catalogue": ["items", "users", "catalogue_quarantine"],
    "build_sessions": ["sessions"],
    "build_item_index": ["item_index"],
    "build_sequences": ["sequences"],
    "train_model": ["model_runs"],
    "evaluate_model": ["metrics", "comparisons"],
    "promote_model": ["model_runs", "serving_model"],
    "score_recommendations": ["recommendations", "recommendation_runs", "rulesets"],
    "measure_outcomes": ["outcomes"],
    "write_report": [],
    "keep_tables": [],
}


def table(name: str) -> Asset:
    """The asset of the table; each run of a job that writes it is an event of it."""
    return Asset(f"lstmrec.{name}", group="lstmrec")


SERVING_MODEL = table("serving_model")  # no table: the model that `promote_model` let through its gate
