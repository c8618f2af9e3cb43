"""A synthetic click log with planted structure: what is in it to be learnt is known.

    python -m lstmrec.samples.synthetic --out var/raw/synthetic --users 1000 --days 14 --seed 7

Every user has a hidden taste, a cluster of items, and walks along favourite successors (`walk.py`) in
sessions (`schedule.py`), on one or several devices, logged in from the start, later or never. The
walk goes on over sessions and devices. The log is a pure function of its plan (`plan.py`).
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from lstmrec.samples.clicks import EVENT_TYPES, SyntheticLog, midnight
from lstmrec.samples.dirt import Dirt, plant
from lstmrec.samples.plan import SyntheticPlan
from lstmrec.samples.raw_log import SampleError, by_day, write_log
from lstmrec.samples.schedule import SECOND, Schedule, build_schedule
from lstmrec.samples.walk import Bools, Ints, build_structure, shares, walk

__all__ = ["SyntheticLog", "SyntheticPlan", "generate"]

TYPE_SHARES = (0.85, 0.10, 0.05)
MOST_DEVICES = 3
ONE_IN = 200  # with --dirty, the share of the rows that each kind of dirt gets
BOTS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Write the log that the flags ask for; 2 and one line on stderr if that cannot be."""
    flags = _parser().parse_args(argv)
    try:
        plan = SyntheticPlan(
            users=flags.users,
            items=flags.items,
            days=flags.days,
            start_day=flags.start_day,
            noise=flags.noise,
            seed=flags.seed,
        )
        log = generate(plan)
        if flags.dirty:
            print(_write_dirty(log, flags.out))
        else:
            lines = ((day, (event.text for event in events)) for day, events in log.days())
            write_log(flags.out, lines, log.items(), log.users())
    except SampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{flags.out}: {len(log)} events of {plan.users} users and {plan.items} items on {plan.days} days")
    return 0


def _parser() -> argparse.ArgumentParser:
    default = SyntheticPlan()
    parser = argparse.ArgumentParser(
        prog="python -m lstmrec.samples.synthetic",
        description="Write a synthetic click log with planted structure as a raw web log.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the log; a log that is there is replaced")
    add("--users", type=int, default=default.users, help="number of users, of about 20 events each")
    add("--items", type=int, default=default.items, help="number of items")
    add("--days", type=int, default=default.days, help="number of days")
    add("--start-day", type=date.fromisoformat, default=default.start_day, help="first day, YYYY-MM-DD")
    add("--seed", type=int, default=default.seed, help="the same flags and seed give the same bytes")
    add("--noise", action="store_true", help="draw every item alike and alone: nothing can be learnt")
    add("--dirty", action="store_true", help="plant dirt of every kind; holds the whole log in memory")
    return parser


def _write_dirty(log: SyntheticLog, out: Path) -> str:
    """Write the log with dirt of every kind in it, and say how many rows of each."""
    rows = max(1, len(log) // ONE_IN)
    numbers = {kind: BOTS if kind.is_bot else rows for kind in Dirt}
    lines, planted = plant(log.events(), numbers, log.plan.seed)
    write_log(out, by_day(lines), log.items(), log.users())
    return "\n".join(f"{kind.value:>22} {count:>8} rows" for kind, count in planted.counts.items())


def generate(plan: SyntheticPlan) -> SyntheticLog:
    """The log of the plan; every part draws from a random stream of its own."""
    structure = build_structure(plan.items, plan.clusters, plan.zipf_exponent, plan.rng("structure"))
    when = build_schedule(
        plan.users, plan.days, plan.sessions_per_user, plan.events_per_session, plan.rng("schedule")
    )
    rng = plan.rng("walk")
    taste = rng.choice(plan.clusters, plan.users, p=shares(plan.clusters))
    item = walk(
        structure,
        taste,
        when.lengths,
        rng,
        p_successor=0.0 if plan.noise else plan.p_successor,
        p_own_cluster=0.0 if plan.noise else plan.p_own_cluster,
    )
    has_account, device, logged_in = _people(plan, when)

    rng = plan.rng("events")
    event_type = rng.choice(len(EVENT_TYPES), item.size, p=TYPE_SHARES)
    created = midnight(plan.start_day) + when.since_start
    sent = created + rng.integers(SECOND // 20, 2 * SECOND, item.size)
    received = sent + rng.integers(SECOND // 50, SECOND // 2, item.size)

    order = np.argsort(received, kind="stable")
    return SyntheticLog(
        plan=plan,
        structure=structure,
        taste=taste,
        has_account=has_account,
        number=order,
        user=when.user[order],
        device=device[order],
        session=when.session[order],
        item=item[order],
        event_type=event_type[order],
        logged_in=logged_in[order],
        created=created[order],
        sent=sent[order],
        received=received[order],
    )


def _people(plan: SyntheticPlan, when: Schedule) -> tuple[Bools, Ints, Bools]:
    """Who has an account; the device of each event; whether the user was logged in by then."""
    rng = plan.rng("people")
    has_account = rng.random(plan.users) < plan.account_share
    several = has_account & (rng.random(plan.users) < plan.several_devices_share)
    n_devices = np.where(several, rng.integers(2, MOST_DEVICES + 1, plan.users), 1)
    chance = rng.random(int(when.session[-1]) + 1)  # a session stays on one device
    device = (chance[when.session] * n_devices[when.user]).astype(np.int64)

    late = rng.random(plan.users) < plan.late_login_share
    before_login = np.where(late, rng.random(plan.users) * when.lengths, 0).astype(np.int64)  # events
    first_event = np.cumsum(when.lengths) - when.lengths
    place = np.arange(when.user.size) - first_event[when.user]
    logged_in = has_account[when.user] & (place >= before_login[when.user])
    return has_account, device, logged_in


if __name__ == "__main__":
    sys.exit(main())
