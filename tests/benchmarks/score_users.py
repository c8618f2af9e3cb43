"""How long score_recommendations takes as the users grow, from the read of the lake to the publication.

A lake of a tenth of --users and one of all of them: each has a history of 2 to 200 events, 12 at the
median, on --items items, and the model's weights are random, since what a list costs does not depend on
what it says. The JVM is warm. An action that brought more than --driver-mb to the driver would fail: so
nothing gathers users there. Beside it, in one thread, what a task does with a sample of these histories:
encode them, and rank all items.
"""

import argparse
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec import config as configuration
from lstmrec import nightly, scoring, training
from lstmrec.config import Config
from lstmrec.lake import history, models
from lstmrec.lake.list_tables import ITEM_RULES
from lstmrec.lake.model_tables import MODEL_RUNS, SEQUENCES
from lstmrec.lake.store import Lake
from lstmrec.lake.tables import ITEMS, SESSIONS, USERS
from lstmrec.learn.export import export, read_item_ids
from lstmrec.learn.model import build
from lstmrec.learn.spec import EpochRecord
from lstmrec.prepare import sequences, splits
from lstmrec.rank.top_n import top_n
from lstmrec.scoring import ModelScorer
from tests.benchmarks.memory import Peak
from tests.benchmarks.scratch_tables import fill_index, histories_of
from tests.jobs.shop import ROOT, job
from tests.learn.tables import result_of
from tests.local_spark import local_session

DAY = date(2026, 1, 31)
WARM_UP_USERS = 2_000
CORES = 2


def sessions(spark: SparkSession, users: int, items: int) -> DataFrame:
    """A session a user, of its whole history: an event a second, few items in most of them."""
    length = F.least(F.lit(200), 2 + F.floor(F.exp(F.randn(1) + 2.3))).cast("int")
    start = F.lit(f"{DAY.isoformat()} 08:00:00").cast("timestamp")

    def at(second: Any) -> Any:
        return F.timestamp_micros(F.unix_micros(start) + second * 1_000_000)

    def item(place: Any) -> Any:
        draw = F.pmod(F.xxhash64("id", place), F.lit(1_000_003)) / 1_000_003
        return F.concat(F.lit("item-"), F.floor(F.pow(draw, 2) * items).cast("string"))

    user = F.concat(F.lit("user-"), F.col("id").cast("string"))
    places = F.sequence(F.lit(1), c.N_EVENTS)
    return (
        spark.range(users)
        .withColumn(c.N_EVENTS, length)
        .withColumns(
            {
                c.SESSION_ID: user,
                c.SITE: F.lit("bench"),
                c.SESSION_USER: user,
                c.OPENED_TS: start,
                c.PART: F.lit(1),
                c.START_TS: start,
                c.END_TS: at(F.col(c.N_EVENTS)),
                c.ITEM_IDS: F.transform(places, item),
                c.EVENT_TYPES: F.transform(places, lambda _: F.lit("view")),
                c.EVENT_TIMES: F.transform(places, at),
                c.IS_BOT: F.lit(False),
                c.SESSION_DATE: F.lit(DAY),
                c.STITCHED_USER_ID: user,
            }
        )
        .select(*SESSIONS.columns)
    )


def write_lake(lake: Lake, config: Config, users: int, items: int) -> None:
    """What the job reads, as the jobs before it write it."""
    for table in (ITEMS, USERS, ITEM_RULES):
        lake.create(table)
    lake.replace(SESSIONS, sessions(lake.spark, users, items))
    read = lake.read(SESSIONS)
    fill_index(lake, read, DAY)
    scored = splits.leave_one_out(histories_of(lake, read, config, DAY), config.sequences.min_length)
    rows = sequences.build(scored, config.sequences)
    lake.replace(SEQUENCES, sequences.spread(rows, config.sequences.row_groups), history.as_of(DAY))
    write_model(lake, config)


def write_model(lake: Lake, config: Config) -> None:
    """A model as it comes from its first weights, made current."""
    order = training.order(lake, config, DAY)
    untrained = EpochRecord(
        epoch=1, loss=0.0, ndcg_at_10=0.0, hit_rate_at_10=0.0, seconds=0.0, events_per_second=0.0
    )
    result = result_of(order, untrained)
    model = build(order.n_items, order.n_event_types, order.model)
    export(model, order, result, read_item_ids(order.item_index, order.n_items))
    row = training.model_run(lake.spark, order, result)
    lake.upsert(MODEL_RUNS, row.withColumn("stage", F.lit(models.CURRENT)))


def lake_of(spark: SparkSession, folder: Path, users: int, flags: argparse.Namespace) -> list[str]:
    """Write a lake of so many users; the job's flags for it."""
    folder.mkdir()
    shutil.copy(ROOT / "conf" / "base.yaml", folder)
    conf = folder / "bench.yaml"
    settings = {
        "lake": {"root": str(folder / "lake")},
        "source": {"items": None, "users": None},
        "model": {"width": flags.width},
        "training": {"artifacts": str(folder / "artifacts")},
    }
    conf.write_text(yaml.safe_dump(settings))
    config = configuration.load(conf)
    write_lake(Lake(spark, config.lake.root, {"job": "benchmark"}), config, users, flags.items)
    return ["--conf", str(conf), "--run-date", DAY.isoformat()]


def conf_of_a_large_run(driver_mb: int) -> dict[str, str]:
    """The thorough compiler as on a cluster, which conf/spark-defaults.conf leaves out for short runs."""
    return {
        "spark.driver.maxResultSize": f"{driver_mb}m",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m",
    }


def seconds_of_the_job(flags: list[str]) -> float:
    started = time.perf_counter()
    job("score_recommendations")(flags)
    return time.perf_counter() - started


def rates_of_a_task(spark: SparkSession, flags: list[str], users: int) -> dict[str, float]:
    """Users/s of one thread: of the encoder alone, and of encoding and ranking all items for `n`."""
    config = configuration.load(Path(flags[1]))
    night = nightly.prepare(Lake(spark, config.lake.root, {}), config, DAY)
    rows = night.users.limit(users).toPandas()
    scorer = ModelScorer(night.model.artifact)
    n_items, block = night.model.n_items, config.scoring.users_per_block

    def encode() -> None:
        for part in scoring.blocks([rows], block, n_items):
            history = scoring.known_history(part, n_items)
            scorer.model.encode(history.items, history.types, history.gaps, history.length)

    def rank() -> None:
        for part in scoring.blocks([rows], block, n_items):
            history = scoring.known_history(part, n_items)
            top_n(scoring.unseen_scores(scorer, history, part, history.length > 0, n_items), config.scoring.n)

    return {"encode": len(rows) / timed(encode), "encode_and_rank": len(rows) / timed(rank)}


def timed(work: Callable[[], None]) -> float:
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=12_101)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--driver-mb", type=int, default=32)
    parser.add_argument("--sample", type=int, default=10_000, help="users of the rates of one task")
    parser.add_argument("--out", type=Path, metavar="JSON")
    flags = parser.parse_args()

    settings = configuration.load(ROOT / "conf" / "base.yaml").spark
    spark = local_session("bench", settings, conf_of_a_large_run(flags.driver_mb))
    sizes = (flags.users // 10, flags.users)
    took, peaks = {}, {}
    with tempfile.TemporaryDirectory() as name:
        seconds_of_the_job(lake_of(spark, Path(name, "warm-up"), WARM_UP_USERS, flags))
        for users in sizes:
            asked, peak = lake_of(spark, Path(name, str(users)), users, flags), Peak()
            with peak.watched(os.getpid()):
                took[users] = seconds_of_the_job(asked)
            peaks[users] = peak.mb
        rates = rates_of_a_task(spark, asked, flags.sample)
    figures = {
        "items": flags.items,
        "width": flags.width,
        "cores": CORES,
        "seconds": took,
        "users_per_s": {users: users / seconds for users, seconds in took.items()},
        "peak_mb": peaks,
        "growth_exponent": math.log10(took[sizes[1]] / took[sizes[0]]),
        "users_per_s_of_a_thread": rates,
        "share_of_its_core": flags.users / took[flags.users] / rates["encode_and_rank"] / CORES,
    }
    for users in sizes:
        rate, mb = users / took[users], peaks[users]
        print(f"{users:>12,} users {took[users]:>8.1f} s {rate:>9,.0f} users/s {mb:>7,.0f} MB")
    print(
        f"growth exponent {figures['growth_exponent']:.2f}; at most {flags.driver_mb} MB came to the driver"
    )
    for what, rate in rates.items():
        print(f"one thread, {what.replace('_', ' ')}: {rate:,.0f} users/s")
    print(f"the job's rate of {CORES} such threads': {figures['share_of_its_core']:.2f}")
    if flags.out:
        flags.out.parent.mkdir(parents=True, exist_ok=True)
        flags.out.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
