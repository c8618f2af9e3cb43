"""Sessions of a real log beside those that the log itself tells of: how many are the same, and why not.

The log's sessions are dealt to users, about four to each, at random: nothing but time then tells where
a user's session ends. What differs must be a pause longer than the gap within a session of the log, or a
session of the log that begins within the gap of the same user's last event.
"""

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pyspark.sql import SparkSession

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import SESSIONS
from tests.jobs.logs import Log
from tests.jobs.shop import ROOT, job
from tests.local_spark import local_session

CONF = ROOT / "conf" / "yoochoose.yaml"
SESSIONS_A_USER = 4
SEED = 20

Click = tuple[str, str, int]
"""User, item, microseconds since 1970."""


def read(paths: list[Path]) -> pd.DataFrame:
    """A row per distinct click of SessionId, ItemId, Time, with the user that the session was dealt to."""
    clicks = pd.concat([pd.read_csv(path, sep="\t", dtype=str) for path in paths]).drop_duplicates()
    names = clicks["SessionId"].unique()
    users = np.random.default_rng(SEED).integers(max(1, len(names) // SESSIONS_A_USER), size=len(names))
    clicks["user"] = clicks["SessionId"].map(dict(zip(names, users.astype(str), strict=True)))
    clicks["micros"] = (clicks["Time"].astype(float) * 1e6).round().astype(np.int64)
    return clicks


def cut(spark: SparkSession, clicks: pd.DataFrame, folder: Path) -> list[dict[str, Any]]:
    """The rows of `sessions` that the jobs make of the clicks, written as a log with users alone."""
    log = Log(spark, folder, yaml.safe_load(CONF.read_text()))
    days = pd.to_datetime(clicks["micros"], unit="us", utc=True).dt.date
    for day, rows in clicks.groupby(days):
        told = rows[["user", "ItemId", "Time"]].rename(columns={"user": "SessionId"})
        log.write(f"date={day}/clicks.tsv", told.to_csv(sep="\t", index=False))
    log.day = max(date.fromisoformat(str(day)) for day in days).isoformat()
    for name in ("ingest_events", "build_sessions"):
        job(name)(log.flags)
    rows = Lake(spark, str(folder / "lake"), {}).read(SESSIONS)
    columns = (c.SESSION_USER, c.ITEM_IDS, c.EVENT_TIMES, c.IS_BOT, c.OPENED_TS)
    return [row.asDict() for row in rows.select(*columns).collect()]


def compare(clicks: pd.DataFrame, sessions: list[dict[str, Any]], gap: int) -> dict[str, Any]:
    """Counts of sessions that are the same, and of the differences by their reason."""
    theirs: dict[Click, str] = {}
    for row in clicks.itertuples():
        theirs[row.user, row.ItemId, row.micros] = row.SessionId
    ours: dict[Click, tuple[str, str]] = {}
    for row in sessions:
        for item, time in zip(row[c.ITEM_IDS], row[c.EVENT_TIMES], strict=True):
            ours[row[c.SESSION_USER], item, int(pd.Timestamp(time).value // 1000)] = ours_of(row)
    assert set(ours) == set(theirs), "the jobs lost or made up a click"

    of_theirs, of_ours = defaultdict(set), defaultdict(set)
    for click in theirs:
        of_theirs[theirs[click]].add(click)
        of_ours[ours[click]].add(click)
    found = {frozenset(clicks) for clicks in of_ours.values()}
    kinds: Counter[str] = Counter()
    for name, own in of_theirs.items():
        together = set().union(*(of_ours[ours[click]] for click in own))
        is_joined = any(theirs[click] != name for click in together)
        is_split = len({ours[click] for click in own}) > 1
        kinds["same" if frozenset(own) in found else f"split {is_split}, joined {is_joined}"] += 1
        if is_split:
            kinds["unexplained"] += int(longest_pause(own) <= gap)
        if is_joined:
            kinds["unexplained"] += int(any(longest_pause(of_ours[ours[click]]) > gap for click in own))
    minutes = [(max(x[2] for x in s) - min(x[2] for x in s)) / 6e7 for s in of_ours.values()]
    return {
        "clicks": len(theirs),
        "sessions_of_the_log": len(of_theirs),
        "same": kinds["same"],
        "split_by_a_pause_over_the_gap": kinds["split True, joined False"],
        "joined_with_another_of_the_user_within_the_gap": kinds["split False, joined True"],
        "both": kinds["split True, joined True"],
        "unexplained": kinds["unexplained"] + kinds["split False, joined False"],
        "sessions_of_ours": len(of_ours),
        "by_bots": len({ours_of(row) for row in sessions if row[c.IS_BOT]}),
        "median_clicks": float(np.median([len(s) for s in of_ours.values()])),
        "minutes_median_and_99th": [float(np.quantile(minutes, q)) for q in (0.5, 0.99)],
    }


def ours_of(row: dict[str, Any]) -> tuple[str, str]:
    return row[c.SESSION_USER], str(row[c.OPENED_TS])


def longest_pause(clicks: set[Click]) -> int:
    times = sorted(time for _, _, time in clicks)
    return max((later - time for time, later in pairwise(times)), default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, nargs="+", required=True, help="TSV files: SessionId ItemId Time")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    flags = parser.parse_args()

    rules = configuration.load(CONF)
    spark = local_session("bench", rules.spark)
    clicks = read(flags.log)
    with tempfile.TemporaryDirectory() as folder:
        found = compare(clicks, cut(spark, clicks, Path(folder)), rules.sessions.gap // pd.Timedelta(1, "us"))
    print("\n".join(f"{name:>48} {value}" for name, value in found.items()))
    if flags.out:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
        flags.out.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
