"""The synthetic log: what its plan promises is in it."""

import dataclasses
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmrec.samples import synthetic
from lstmrec.samples.raw_log import RawEvent, SampleError, to_instant
from lstmrec.samples.synthetic import SyntheticLog, SyntheticPlan, generate
from tests.samples.logs import bytes_of, events_of, lines_of, records_of

plans = st.builds(
    SyntheticPlan,
    users=st.integers(1, 40),
    items=st.integers(8, 60),
    days=st.integers(1, 9),
    sessions_per_user=st.floats(1, 12),
    events_per_session=st.floats(1, 15),
    noise=st.booleans(),
    seed=st.integers(0, 10_000),
)
few = settings(deadline=None, max_examples=15)


def by_user(log: SyntheticLog) -> list[np.ndarray]:
    """The rows of each user in the order of time."""
    order = np.lexsort((log.created, log.user))
    return np.split(order, np.flatnonzero(np.diff(log.user[order])) + 1)


def share_of_successors(log: SyntheticLog) -> float:
    follows = [log.structure.successor[log.item[rows[:-1]]] == log.item[rows[1:]] for rows in by_user(log)]
    return float(np.concatenate(follows).mean())


@given(plans)
@few
def test_the_same_plan_gives_the_same_events_and_another_seed_others(plan: SyntheticPlan) -> None:
    events = generate(plan).events()
    other = generate(dataclasses.replace(plan, seed=plan.seed + 1)).events()

    assert generate(plan).events() == events
    assert other != events


@given(plans)
@few
def test_every_event_is_created_then_sent_then_received_on_a_day_of_the_log(plan: SyntheticPlan) -> None:
    events = generate(plan).events()

    assert len({event.event_id for event in events}) == len(events)
    assert [event.received_ts for event in events] == sorted(str(event.received_ts) for event in events)
    for event in events:
        assert str(event.created_ts) < str(event.sent_ts) < str(event.received_ts)
        assert plan.start_day <= event.day < plan.start_day + timedelta(days=plan.days)


@given(plans)
@few
def test_days_hold_the_events_of_the_log_each_in_its_folder(plan: SyntheticPlan) -> None:
    log = generate(plan)
    days = [(day, list(events)) for day, events in log.days()]

    assert [event for _, events in days for event in events] == log.events()
    assert all(event.day == day for day, events in days for event in events)
    assert sum(len(events) for _, events in days) == len(log)


@given(plans)
@few
def test_pauses_are_clearly_below_30_minutes_within_a_session_and_above_between(plan: SyntheticPlan) -> None:
    log = generate(plan)

    for rows in by_user(log):
        pauses = np.diff(log.created[rows]) / 60e6
        same_session = np.diff(log.session[rows]) == 0
        assert (pauses[same_session] <= 10).all()
        assert (pauses[~same_session] >= 120).all()


@given(plans)
@few
def test_a_session_is_one_users_on_one_device(plan: SyntheticPlan) -> None:
    log = generate(plan)

    owners = {
        (session, user, device)
        for session, user, device in zip(log.session, log.user, log.device, strict=True)
    }
    assert len(owners) == len(set(log.session.tolist()))
    assert set(log.user.tolist()) == set(range(plan.users))


@given(plans)
@few
def test_who_is_logged_in_stays_so_and_who_has_no_account_never_is(plan: SyntheticPlan) -> None:
    log = generate(plan)
    accounts = {record["user_id"] for record in log.users()}

    for rows in by_user(log):
        logged_in = log.logged_in[rows].tolist()
        user = int(log.user[rows[0]])
        assert logged_in == sorted(logged_in)
        assert any(logged_in) == (f"user-{user:07d}" in accounts)
        if not any(logged_in):
            assert set(log.device[rows].tolist()) == {0}


def test_some_users_log_in_late_and_some_come_on_several_devices() -> None:
    log = generate(SyntheticPlan(users=300))
    late = sum(0 < log.logged_in[rows].sum() < rows.size for rows in by_user(log))
    several = sum(np.unique(log.device[rows]).size > 1 for rows in by_user(log))

    assert 50 < late < 120  # 0.6 have accounts, half of them late, a few of these on their first event
    assert 20 < several < 60  # 0.6 have accounts, 0.3 of them devices, some of these one session only


@pytest.mark.parametrize("p_successor", [0.2, 0.5, 0.9])
def test_the_planted_successor_is_followed_about_as_often_as_promised(p_successor: float) -> None:
    log = generate(SyntheticPlan(users=800, p_successor=p_successor))

    by_chance = (1 - p_successor) / 30  # a jump rarely hits it
    assert share_of_successors(log) == pytest.approx(p_successor + by_chance, abs=0.03)


def test_jumps_stay_in_the_users_taste_as_often_as_promised() -> None:
    log = generate(SyntheticPlan(users=800, p_successor=0.0, p_own_cluster=0.6))

    in_taste = log.structure.cluster[log.item] == log.taste[log.user]
    cluster_sizes = np.bincount(log.structure.cluster) / log.plan.items
    by_chance = cluster_sizes[log.taste[log.user]].mean()
    assert in_taste.mean() == pytest.approx(0.6 + 0.4 * by_chance, abs=0.03)


def test_noise_tells_nothing_about_the_next_item() -> None:
    log = generate(SyntheticPlan(users=2000, items=40, noise=True))

    counts = np.bincount(log.item, minlength=40) / len(log)
    in_taste = log.structure.cluster[log.item] == log.taste[log.user]
    by_chance = (np.bincount(log.structure.cluster) / 40)[log.taste[log.user]].mean()
    assert counts == pytest.approx([1 / 40] * 40, abs=0.005)
    assert share_of_successors(log) == pytest.approx(1 / 40, abs=0.005)
    assert in_taste.mean() == pytest.approx(by_chance, abs=0.02)


def test_views_outnumber_carts_and_carts_outnumber_buys() -> None:
    types = [event.event_type for event in generate(SyntheticPlan(users=300)).events()]

    assert set(types) == {"view", "cart", "buy"}
    assert types.count("view") > 5 * types.count("cart") > 5 * types.count("buy")


def test_devices_are_told_apart_and_people_by_their_account() -> None:
    devices: dict[str, set[str]] = defaultdict(set)
    for event in generate(SyntheticPlan(users=100)).events():
        if event.user_id:
            devices[str(event.device_id)].add(event.user_id)

    assert max(len(users) for users in devices.values()) == 1


def test_a_millions_log_is_columns_until_its_events_are_asked_for() -> None:
    log = generate(SyntheticPlan(users=20_000, items=5_000, days=30))

    day, events = next(log.days())
    first = next(events)
    assert len(log) > 300_000
    assert day == date(2026, 1, 5)
    assert isinstance(first, RawEvent)
    assert to_instant(str(first.received_ts)).timestamp() * 1e6 == pytest.approx(int(log.received[0]))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"users": 0}, "users must be at least 1, got 0"),
        ({"items": 7, "clusters": 4}, "items must be at least twice the 4 clusters, got 7"),
        ({"p_successor": 1.5}, "p_successor must be between 0 and 1, got 1.5"),
        ({"late_login_share": -0.1}, "late_login_share must be between 0 and 1"),
        ({"sessions_per_user": 0.5}, "sessions_per_user must be at least 1"),
        ({"seed": -1}, "must not be negative"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, float], complaint: str) -> None:
    with pytest.raises(SampleError, match=complaint):
        SyntheticPlan(**wrong)  # type: ignore[arg-type]


def run(out: Path, *flags: str) -> int:
    return synthetic.main(["--out", str(out), "--users", "60", "--days", "3", *flags])


def test_the_command_writes_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        assert run(tmp_path / name, "--seed", seed) == 0

    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert bytes_of(tmp_path / "one") != bytes_of(tmp_path / "three")


def test_the_command_writes_all_events_items_and_accounts_of_the_plan(tmp_path: Path) -> None:
    run(tmp_path / "log", "--seed", "5")

    log = generate(SyntheticPlan(users=60, days=3, seed=5))
    written = [event["event_id"] for events in events_of(tmp_path / "log").values() for event in events]
    assert written == [event.event_id for event in log.events()]
    assert records_of(tmp_path / "log" / "items.jsonl.gz") == list(log.items())
    assert records_of(tmp_path / "log" / "users.jsonl.gz") == list(log.users())


def test_the_command_can_plant_dirt_and_says_how_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "log", "--seed", "5", "--dirty") == 0

    clean = len(generate(SyntheticPlan(users=60, days=3, seed=5)))
    rows = clean // 200  # of each kind; two kinds add copies, two bots each 20, 200 and 30 rows
    written = sum(len(lines_of(path)) for path in (tmp_path / "log").glob("events/*/*.gz"))
    assert written == clean + 2 * rows + 2 * (20 + 200 + 30)
    assert f"truncated {rows:>8} rows" in capsys.readouterr().out


def test_the_command_refuses_a_wrong_number_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "log", "--items", "3") == 2
    assert capsys.readouterr().err == "error: items must be at least twice the 4 clusters, got 3\n"
