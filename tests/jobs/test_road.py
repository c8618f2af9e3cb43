"""The whole road on a dirty log: what comes out is what was planted, and a rerun changes nothing."""

import json
from collections import Counter

import pytest
from mlflow import MlflowClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.lake import models
from lstmrec.lake import tables as t
from lstmrec.prepare import histories
from lstmrec.samples.dirt import Dirt
from tests.jobs.shop import LAST_DAY, Shop, job

pytestmark = pytest.mark.slow

NO_REJECTION = ("accepted", "late", "duplicate")


def test_the_books_of_ingestion_are_those_of_the_planted_dirt(spark: SparkSession, shop: Shop) -> None:
    books = shop.table(spark, t.RUN_ACCOUNTING).where(F.col(c.JOB) == "ingest_events").collect()
    planted = shop.planted.counts
    assert {row[c.OUTCOME]: row[c.N_ROWS] for row in books} == {
        "rows_in": shop.planted.rows_out,
        "accepted": shop.planted.rows_out
        - sum(planted[kind] for kind in Dirt if not kind.is_bot)
        + sum(planted[k] for k in (Dirt.FAST_CLOCK, Dirt.SLOW_CLOCK, Dirt.NO_CLOCK, Dirt.IMPOSSIBLE_CREATED)),
        "duplicate": planted[Dirt.REDELIVERED],
        "id_conflict": planted[Dirt.ID_CONFLICT],
        "late": planted[Dirt.LATE],
        "malformed_json": planted[Dirt.TRUNCATED] + planted[Dirt.NOT_JSON] + planted[Dirt.NOT_AN_OBJECT],
        "impossible_time": planted[Dirt.IMPOSSIBLE_RECEIVED],
        "missing_item": planted[Dirt.NO_ITEM],
        "missing_user": planted[Dirt.NO_PERSON],
        "unknown_event_type": planted[Dirt.UNKNOWN_TYPE],
        "oversize_payload": planted[Dirt.OVERSIZE],
    }


def test_every_rejected_row_is_in_quarantine_whole(spark: SparkSession, shop: Shop) -> None:
    kept = shop.table(spark, t.EVENTS_QUARANTINE)
    in_books = shop.table(spark, t.RUN_ACCOUNTING).where(F.col(c.JOB) == "ingest_events").collect()
    books = {row[c.OUTCOME]: row[c.N_ROWS] for row in in_books}
    rejected = {reason: n for reason, n in books.items() if reason not in ("rows_in", *NO_REJECTION)}
    by_reason = {r[c.REASON]: r["count"] for r in kept.groupBy(c.REASON).count().collect()}
    # A line like "null" may have come twice, and is kept once
    assert by_reason.pop("malformed_json") <= rejected.pop("malformed_json")
    assert by_reason == rejected
    oversize = kept.where(F.col(c.REASON) == "oversize_payload").select(F.length(c.PAYLOAD)).collect()
    assert all(row[0] > 100_000 for row in oversize)


def test_every_table_keeps_its_key_unique(spark: SparkSession, shop: Shop) -> None:
    for table in t.ALL:
        rows = shop.table(spark, table)
        assert rows.count() == rows.select(*table.key).distinct().count(), table.name
        assert rows.isEmpty() == (table is t.OUTCOMES), table.name  # of the first night there are none


def test_every_event_that_is_not_late_is_in_exactly_one_session(spark: SparkSession, shop: Shop) -> None:
    events = shop.table(spark, t.EVENTS).where(F.col(c.STATUS) == "accepted")
    shown = shop.table(spark, t.SESSIONS).select(F.explode(c.ITEM_IDS).alias(c.ITEM_ID))
    assert Counter(r[0] for r in shown.collect()) == Counter(r[0] for r in events.select(c.ITEM_ID).collect())


def test_bots_are_flagged_and_neither_train_the_model_nor_get_lists(spark: SparkSession, shop: Shop) -> None:
    bots = shop.table(spark, t.SESSIONS).where(c.IS_BOT)
    assert bots.select(c.SESSION_USER).distinct().count() == 6
    people = shop.table(spark, t.SEQUENCES).select(c.USER_ID)
    assert people.join(bots.withColumnRenamed(c.SESSION_USER, c.USER_ID), on=c.USER_ID, how="inner").isEmpty()


def test_every_user_gets_n_distinct_unseen_items_ranked_from_one(spark: SparkSession, shop: Shop) -> None:
    lists = shop.table(spark, t.RECOMMENDATIONS)
    per_user = lists.groupBy(c.USER_ID).agg(
        F.array_sort(F.collect_list(c.RANK)).alias("ranks"), F.count_distinct(c.ITEM_ID).alias("items")
    )
    assert all(r["ranks"] == list(range(1, 9)) and r["items"] == 8 for r in per_user.collect())

    known = shop.table(spark, t.USERS).select(c.USER_ID)
    assert known.join(lists, on=c.USER_ID, how="left_anti").isEmpty()

    sequences = shop.table(spark, t.SEQUENCES).where(F.col(c.SPLIT) == "score")
    had = sequences.select(c.USER_ID, F.explode(c.SEEN).alias(c.ITEM_INDEX))
    seen = had.join(shop.table(spark, t.ITEM_INDEX), on=c.ITEM_INDEX, how="inner")
    assert lists.join(seen, on=[c.USER_ID, c.ITEM_ID], how="inner").isEmpty()


def test_users_without_a_history_get_the_popular_items_and_source_says_so(
    spark: SparkSession, shop: Shop
) -> None:
    lists = shop.table(spark, t.RECOMMENDATIONS)
    cold = F.col(c.USER_ID).startswith("newcomer")
    sources = lists.groupBy(cold.alias("cold")).agg(F.collect_set(c.SOURCE).alias("sources")).collect()
    assert {r["cold"]: r["sources"] for r in sources} == {True: ["popular"], False: ["model"]}

    events = histories.owned_events(shop.table(spark, t.SESSIONS), LAST_DAY)
    had = events.where(~F.col(c.ITEM_ID).isin(shop.hidden)).groupBy(c.ITEM_ID)
    top = had.agg(F.count_distinct(c.USER_ID).alias("users")).orderBy(F.desc("users")).take(8)
    scores = [row["users"] for row in top]
    given = lists.where(F.col(c.USER_ID) == "newcomer-0").orderBy(c.RANK).select(c.SCORE).collect()
    assert [row[c.SCORE] for row in given] == scores


def test_hidden_items_are_in_no_list_and_the_run_says_what_passed_the_gate(
    spark: SparkSession, shop: Shop
) -> None:
    lists = shop.table(spark, t.RECOMMENDATIONS)
    assert lists.where(F.col(c.ITEM_ID).isin(shop.hidden)).isEmpty()
    (run,) = shop.table(spark, t.RECOMMENDATION_RUNS).collect()
    assert (run["is_published"], run["n_rows"]) == (True, lists.count())
    assert all(verdict["is_met"] for verdict in run["verdicts"])
    (rules,) = shop.table(spark, t.RULESETS).collect()
    assert lists.select(c.RULESET_VERSION).distinct().collect() == [(rules[c.RULESET_VERSION],)]
    assert json.loads(run["config"])["scoring"]["n"] == 8
    assert {"sequences", "item_index", "sessions"} <= set(run["table_versions"])
    assert run["seconds"] > 0
    assert json.loads(rules["rules"])["item_rules"][0] == [shop.hidden[0], "hidden"]


def test_every_item_of_the_model_has_a_reason_in_the_users_own_history(
    spark: SparkSession, shop: Shop
) -> None:
    by_model = shop.table(spark, t.RECOMMENDATIONS).where("source = 'model'")
    told = by_model.select(c.USER_ID, F.explode(c.REASON_ITEM_IDS).alias(c.ITEM_ID))
    assert by_model.where(F.size(c.REASON_ITEM_IDS) == 0).isEmpty()
    events = histories.owned_events(shop.table(spark, t.SESSIONS), LAST_DAY)
    assert told.join(events, on=[c.USER_ID, c.ITEM_ID], how="left_anti").isEmpty()


def test_the_model_learns_the_planted_structure_and_beats_popularity(spark: SparkSession, shop: Shop) -> None:
    metrics = shop.table(spark, t.METRICS).where("slice = 'all' AND metric = 'hit_rate' AND k = 10").collect()
    by_model = {row["model"]: row for row in metrics}
    assert by_model["lstm"]["ci_low"] > by_model["popularity"]["ci_high"]
    assert by_model["lstm"][c.MODEL_VERSION] == models_trained(spark, shop)[0]


def models_trained(spark: SparkSession, shop: Shop) -> list[str]:
    return [row[c.MODEL_VERSION] for row in shop.table(spark, t.MODEL_RUNS).collect()]


def test_the_run_of_a_model_says_what_it_was_made_of(spark: SparkSession, shop: Shop) -> None:
    (run,) = shop.table(spark, t.MODEL_RUNS).collect()
    assert (run["stage"], run["processes"], run[c.RUN_DATE]) == (models.CURRENT, 2, LAST_DAY)
    assert {"sequences", "item_index"} <= set(run["table_versions"])
    assert run["n_items"] == shop.table(spark, t.ITEM_INDEX).count()
    learnt = shop.table(spark, t.SEQUENCES).where(F.col(c.SPLIT) == "train").count()
    assert run["n_rows"] == learnt
    assert run["seconds"] > 0


def test_mlflow_has_the_training_and_the_scoring_once_each(shop: Shop) -> None:
    client = MlflowClient(tracking_uri=f"sqlite:///{shop.folder}/mlflow.db")
    experiment = client.get_experiment_by_name("lstmrec")
    assert experiment is not None
    runs = {run.data.tags["kind"]: run.data for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"training", "scoring"}
    assert runs["training"].tags["stage"] == models.CURRENT
    assert {"epoch.loss", "test_ndcg_at_10", "n_rows"} <= set(runs["training"].metrics)
    assert runs["scoring"].metrics["n_rows"] == runs["scoring"].metrics["n_users"] * 8


def test_a_second_run_leaves_the_same_tables(
    spark: SparkSession, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {table.name: models.fingerprint(without_maps(shop, spark, table)) for table in t.ALL}
    job("run_road")(shop.flags())
    after = {table.name: models.fingerprint(without_maps(shop, spark, table)) for table in t.ALL}
    assert after == before

    said = capsys.readouterr().out
    for expected in ("Rows in", "Sessions", "hit_rate@10", "popularity", "Lists of 5 users", "Item "):
        assert expected in said


def without_maps(shop: Shop, spark: SparkSession, table: t.Table) -> DataFrame:
    """The table with maps as text: Spark does not hash maps. Versions of what lists were made of go up."""
    rows = shop.table(spark, table)
    if table in (t.RECOMMENDATIONS, t.RECOMMENDATION_RUNS):
        rows = rows.drop("table_versions", "seconds")
    return rows.select(*(F.to_json(n) if kind.startswith("map") else F.col(n) for n, kind in rows.dtypes))
