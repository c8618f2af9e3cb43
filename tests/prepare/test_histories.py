"""Histories: whose they are, in which order, and what stays out."""

from datetime import timedelta

from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec.prepare import histories
from tests.prepare.factories import at, index, session, sessions

TYPES = {"cart": 1, "view": 2}
TODAY = at("12:00").date()


def build(spark: SparkSession, *log: dict[str, object], grain: str = "user") -> dict[str, list[int]]:
    """Items by user (or session), as indices of the letters a-z."""
    letters = index(spark, "abcdefghijklmnopqrstuvwxyz")
    got = histories.build(sessions(spark, *log), letters, TYPES, grain, TODAY).collect()
    return {row[c.SEQUENCE_ID]: row[c.ITEMS] for row in got}


def test_a_history_runs_over_all_sessions_in_order_of_time(spark: SparkSession) -> None:
    got = build(spark, session("ann", at("11:00"), "c"), session("ann", at("10:00"), "ab"))
    assert got == {"ann": [1, 2, 3]}


def test_session_grain_keeps_each_session_for_itself(spark: SparkSession) -> None:
    got = build(spark, session("ann", at("10:00"), "ab"), session("ann", at("11:00"), "c"), grain="session")
    assert sorted(got.values()) == [[1, 2], [3]]


def test_two_devices_of_one_user_are_one_history_interleaved_by_time(spark: SparkSession) -> None:
    got = build(
        spark,
        session("phone", at("10:00"), "abc", stitched_user_id="ann"),
        session("laptop", at("10:00:30"), "de", stitched_user_id="ann"),
    )
    assert got == {"ann": [1, 4, 2, 5, 3]}


def test_a_session_without_login_belongs_to_the_next_user_of_its_device_or_else_the_last(
    spark: SparkSession,
) -> None:
    got = build(
        spark,
        session("device", at("09:00"), "a"),
        session("device", at("10:00"), "b", stitched_user_id="ann"),
        session("device", at("11:00"), "c"),
        session("device", at("12:00"), "d", stitched_user_id="bob"),
        session("device", at("13:00"), "e"),
        session("unknown", at("13:00"), "f"),
    )
    assert got == {"ann": [1, 2], "bob": [3, 4, 5], "unknown": [6]}


def test_bots_later_days_and_items_without_index_stay_out(spark: SparkSession) -> None:
    got = build(
        spark,
        session("bot", at("10:00"), "ab", is_bot=True),
        session("ann", at("23:59"), "ab"),  # its second event is on the next day
        session("bob", at("10:00"), "a?b"),
    )
    assert got == {"ann": [1], "bob": [1, 2]}


def test_types_and_pauses_go_along_with_the_items(spark: SparkSession) -> None:
    start = at("10:00")
    seconds = [0, 0, 1, 4, 4 + 3600]
    log = session("ann", start, "abcde")
    log |= {c.EVENT_TYPES: ["view", "cart", "view", "view", "view"]}
    log |= {c.EVENT_TIMES: [start + timedelta(seconds=s) for s in seconds]}
    letters = index(spark, "abcde")
    (row,) = histories.build(sessions(spark, log), letters, TYPES, "user", TODAY).collect()
    assert row[c.TYPES] == [2, 1, 2, 2, 2]
    # none before; then 2 + floor(log2(1 + seconds)) of 0, 1, 3 and 3600 seconds
    assert row[c.GAPS] == [1, 2, 3, 4, 13]


def test_the_type_vocabulary_is_alphabetical_and_starts_after_padding() -> None:
    assert histories.type_vocabulary({"view", "cart"}) == TYPES


def test_each_known_user_without_history_gets_an_empty_one(spark: SparkSession) -> None:
    warm = spark.createDataFrame(
        [("ann", [1, 0], [1, 0], [1, 0], 1, [1])],
        "user_id string, items array<int>, types array<int>, gaps array<int>, length int, seen array<int>",
    )
    known = spark.createDataFrame([("ann",), ("cold",)], f"{c.USER_ID} string")
    got = {r[c.USER_ID]: (r[c.LENGTH], r[c.ITEMS]) for r in histories.with_cold_users(warm, known).collect()}
    assert got == {"ann": (1, [1, 0]), "cold": (0, [])}
