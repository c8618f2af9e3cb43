"""Sessions: the exact rules, against hand-made cases and a slow reference in plain Python."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.lake.tables import SESSIONS
from lstmrec.prepare.sessions import sessionize
from lstmrec.sections import SessionsConfig
from tests.prepare.factories import at, event, events

RULES = SessionsConfig(
    gap_minutes=30,
    max_hours=12,
    max_events=500,
    bot_events_per_minute=60,
    bot_hours=24,
    bot_steady_events=20,
    bot_steady_variation=0.05,
)
Found = list[tuple[str, int, list[str]]]


def cut(spark: SparkSession, *log: dict[str, Any], rules: SessionsConfig = RULES) -> Found:
    """(user, part, items) of every session, in order of user, start and part."""
    found = sessionize(events(spark, *log), rules).orderBy(c.SESSION_USER, c.START_TS, c.PART).collect()
    return [(row[c.SESSION_USER], row[c.PART], row[c.ITEM_IDS]) for row in found]


def test_a_pause_of_exactly_the_gap_keeps_the_session_and_a_longer_one_ends_it(spark: SparkSession) -> None:
    got = cut(
        spark,
        event("ann", "1", at("10:00")),
        event("ann", "2", at("10:30")),
        event("ann", "3", at("11:00:01")),
    )
    assert got == [("ann", 1, ["item-1", "item-2"]), ("ann", 1, ["item-3"])]


def test_midnight_does_not_end_a_session_and_its_date_is_that_of_its_start(spark: SparkSession) -> None:
    log = events(spark, event("ann", "1", at("23:50")), event("ann", "2", at("1d 00:10")))
    (row,) = sessionize(log, RULES).collect()
    assert (row[c.N_EVENTS], row[c.SESSION_DATE]) == (2, at("23:50").date())


def test_the_night_when_clocks_go_forward_is_like_any_other(spark: SparkSession) -> None:
    # In Berlin 02:00 became 03:00 at 01:00 UTC
    before, after = datetime(2026, 3, 29, 0, 45, tzinfo=UTC), datetime(2026, 3, 29, 1, 15, tzinfo=UTC)
    got = sessionize(events(spark, event("ann", "1", before), event("ann", "2", after)), RULES)
    (row,) = got.select(c.N_EVENTS, F.unix_micros(c.END_TS) - F.unix_micros(c.START_TS)).collect()
    assert tuple(row) == (2, 30 * 60 * 1_000_000)


def test_equal_times_are_in_order_of_receipt_and_then_of_key(spark: SparkSession) -> None:
    got = cut(
        spark,
        event("ann", "c", at("10:00"), received_ts=at("10:02")),
        event("ann", "b", at("10:00"), received_ts=at("10:01")),
        event("ann", "a", at("10:00"), received_ts=at("10:02")),
    )
    assert got == [("ann", 1, ["item-b", "item-a", "item-c"])]


def test_users_and_sites_do_not_mix(spark: SparkSession) -> None:
    log = events(
        spark,
        event("ann", "1", at("10:00")),
        event("bob", "2", at("10:01")),
        event("ann", "3", at("10:02"), site="other"),
    )
    assert sessionize(log, RULES).count() == 3


def test_late_events_are_kept_out(spark: SparkSession) -> None:
    got = cut(spark, event("ann", "1", at("10:00")), event("ann", "2", at("10:01"), status="late"))
    assert got == [("ann", 1, ["item-1"])]


def test_a_session_over_the_event_cap_goes_on_in_parts_with_ids_of_their_own(spark: SparkSession) -> None:
    rules = RULES.model_copy(update={"max_events": 2})
    log = [event("ann", str(n), at(f"10:0{n}")) for n in range(5)]
    assert cut(spark, *log, rules=rules) == [
        ("ann", 1, ["item-0", "item-1"]),
        ("ann", 2, ["item-2", "item-3"]),
        ("ann", 3, ["item-4"]),
    ]
    assert sessionize(events(spark, *log), rules).select(c.SESSION_ID).distinct().count() == 3


def test_a_session_over_the_hour_cap_goes_on_in_parts_and_exactly_the_cap_is_not_over(
    spark: SparkSession,
) -> None:
    rules = RULES.model_copy(update={"max_hours": 1.0})
    log = [event("ann", str(n), at("10:00") + timedelta(minutes=20 * n)) for n in range(6)]
    assert cut(spark, *log, rules=rules) == [
        ("ann", 1, ["item-0", "item-1", "item-2", "item-3"]),
        ("ann", 2, ["item-4", "item-5"]),
    ]


def test_a_login_names_the_user_of_its_whole_session_and_moves_no_cut(spark: SparkSession) -> None:
    log = events(
        spark,
        event("device", "1", at("10:00")),
        event("device", "2", at("10:10"), user_id="ann"),
        event("device", "3", at("10:20"), user_id="bob"),
        event("device", "4", at("12:00")),
    )
    got = sessionize(log, RULES).orderBy(c.START_TS).select(c.N_EVENTS, c.STITCHED_USER_ID).collect()
    assert [tuple(row) for row in got] == [(3, "ann"), (1, None)]


def test_a_bot_is_flagged_by_agent_speed_or_pace_over_the_whole_session(spark: SparkSession) -> None:
    rules = RULES.model_copy(update={"max_events": 100})
    fast = [event("fast", f"f{n}", at("10:00") + timedelta(seconds=0.5 * n)) for n in range(200)]
    burst = [event("burst", f"b{n}", at("10:00") + timedelta(seconds=0.01 * n * n)) for n in range(50)]
    agent = [event("agent", "a", at("10:00"), is_bot=True), event("agent", "b", at("10:05"))]
    steady = [event("steady", f"s{n}", at("10:00") + timedelta(seconds=9 * n)) for n in range(20)]
    got = sessionize(events(spark, *fast, *burst, *agent, *steady), rules)
    flags = {(row[c.SESSION_USER], row[c.PART]): row[c.IS_BOT] for row in got.collect()}
    assert flags.pop(("burst", 1)) is False
    assert flags == {("fast", 1): True, ("fast", 2): True, ("agent", 1): True, ("steady", 1): True}


def test_a_bot_that_never_pauses_for_months_is_one_session_in_parts_all_flagged(spark: SparkSession) -> None:
    log = [
        event("bot", f"{n:04}", at("00:00") + timedelta(minutes=30 * n), is_bot=n == 2000)
        for n in range(90 * 48)
    ]
    got = sessionize(events(spark, *log), RULES).orderBy(c.START_TS).collect()
    assert [row[c.PART] for row in got] == list(range(1, 181))  # twelve hours each, of ninety days
    assert [row[c.N_EVENTS] for row in got] == [25, *[24] * 178, 23]  # the first has both its ends
    assert len({row[c.SESSION_ID] for row in got}) == 180
    assert {(row[c.OPENED_TS], row[c.IS_BOT]) for row in got} == {(got[0][c.START_TS], True)}


def test_a_user_with_a_quarter_of_all_events_is_cut_as_the_others_are(spark: SparkSession) -> None:
    whale = [event("whale", f"w{n:03}", at("00:00") + timedelta(minutes=n)) for n in range(100)]
    others = [
        event(f"user-{u:02}", f"{u:02}-{n}", at("00:00") + timedelta(minutes=31 * n))
        for u in range(30)
        for n in range(10)
    ]
    got = sessionize(events(spark, *whale, *others), RULES).collect()
    assert Counter(row[c.N_EVENTS] for row in got) == {100: 1, 1: 300}


def test_no_event_is_no_session(spark: SparkSession) -> None:
    assert cut(spark) == []


def test_columns_that_no_rule_needs_are_left_behind(spark: SparkSession) -> None:
    log = events(spark, event("ann", "1", at("10:00"))).withColumn("extra", F.array(F.lit(1)))
    assert set(sessionize(log, RULES).columns) == set(SESSIONS.schema.fieldNames())


def test_another_user_changes_no_id(spark: SparkSession) -> None:
    ann = [event("ann", "1", at("10:00")), event("ann", "2", at("11:00"))]

    def ids(*log: dict[str, Any]) -> set[str]:
        of_ann = sessionize(events(spark, *log), RULES).where(F.col(c.SESSION_USER) == "ann")
        return {row[c.SESSION_ID] for row in of_ann.collect()}

    assert ids(*ann) == ids(*ann, event("aaa", "0", at("09:00")))


def test_the_rows_are_those_of_the_table(spark: SparkSession) -> None:
    got = sessionize(events(spark, event("ann", "1", at("10:00"))), RULES)
    assert {f.name: f.dataType.simpleString() for f in got.schema} == {
        f.name: f.dataType.simpleString() for f in SESSIONS.schema
    }


@st.composite
def logs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events of a few users, with pauses around the gap, equal times, and late ones."""
    log = []
    for user in ("ann", "bob", "cem"):
        time = at("10:00")
        for n in range(draw(st.integers(0, 25))):
            time += timedelta(minutes=draw(st.sampled_from([0, 0, 1, 29, 30, 31, 400])))
            status = draw(st.sampled_from(["accepted"] * 9 + ["late"]))
            received = time + timedelta(seconds=draw(st.integers(0, 2)))
            log.append(event(user, f"{user}{n:02}", time, status=status, received_ts=received))
    return draw(st.permutations(log))


def slow_reference(log: list[dict[str, Any]], rules: SessionsConfig) -> Found:
    """Sessions by walking over each user's events, one after the other."""
    found: Found = []
    for user in sorted({e[c.SESSION_USER] for e in log}):
        own = [e for e in log if e[c.SESSION_USER] == user and e[c.STATUS] == "accepted"]
        own.sort(key=lambda e: (e[c.EVENT_TS], e[c.RECEIVED_TS], e[c.EVENT_KEY]))
        previous: datetime | None = None
        for e in own:
            time = e[c.EVENT_TS]
            if previous is None or time - previous > rules.gap:
                opened, stretch, part = time, 0, 1
                found.append((user, part, []))
            over = -((opened - time) // rules.max_duration) - 1 if time > opened else 0
            if over > stretch or len(found[-1][2]) == rules.max_events:
                stretch, part = over, part + 1
                found.append((user, part, []))
            found[-1][2].append(e[c.ITEM_ID])
            previous = time
    return found


@given(log=logs())
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_log_in_any_order_gives_the_sessions_of_the_slow_reference(
    spark: SparkSession, log: list[dict[str, Any]]
) -> None:
    rules = RULES.model_copy(update={"max_hours": 1.5, "max_events": 4})
    assert cut(spark, *log, rules=rules) == slow_reference(log, rules)


def test_clean_data_gives_the_sessions_of_sparks_own_session_window(spark: SparkSession) -> None:
    log = events(
        spark,
        *(
            event(u, f"{u}{n}", at("10:00") + timedelta(minutes=7 * n * (n % 9)))
            for u in ("a", "b")
            for n in range(60)
        ),
    )
    theirs = log.groupBy(c.SESSION_USER, F.session_window(c.EVENT_TS, "30 minutes").alias("w")).count()
    ours = sessionize(log, RULES).select(c.SESSION_USER, c.START_TS, c.N_EVENTS)
    assert sorted(tuple(r) for r in ours.collect()) == sorted(
        tuple(r) for r in theirs.select(c.SESSION_USER, "w.start", "count").collect()
    )


@pytest.mark.parametrize("key", ["gap_minutes", "max_hours", "bot_events_per_minute", "bot_hours"])
def test_a_limit_of_zero_is_refused(config: Config, key: str) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        SessionsConfig(**(config.sessions.model_dump() | {key: 0}))
