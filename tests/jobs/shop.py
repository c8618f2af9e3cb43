"""A small shop: a dirty synthetic log, its configuration, and the jobs run on it as spark-submit would."""

import runpy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, SparkSession

from lstmrec.lake.list_tables import ITEM_RULES
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.runtime import Job
from lstmrec.samples.clicks import SyntheticLog
from lstmrec.samples.dirt import Dirt, Planted, plant
from lstmrec.samples.plan import SyntheticPlan
from lstmrec.samples.raw_log import by_day, write_log
from lstmrec.samples.synthetic import generate

ROOT = Path(__file__).parents[2]
PLAN = SyntheticPlan(
    users=120,
    items=160,
    days=5,
    sessions_per_user=3.0,
    events_per_session=7.0,
    p_successor=0.8,
    several_devices_share=0.0,
    seed=7,
)
LAST_DAY = date(2026, 1, 9)
DIRT = dict.fromkeys(Dirt, 4) | {Dirt.BOT_AGENT: 2, Dirt.BOT_RATE: 2, Dirt.BOT_PACE: 2}


@dataclass(frozen=True)
class Shop:
    """Where the shop's files are, and what was planted into its log."""

    folder: Path
    log: SyntheticLog
    planted: Planted

    @property
    def conf(self) -> Path:
        return self.folder / "shop.yaml"

    def flags(self, run_date: date = LAST_DAY) -> list[str]:
        return ["--conf", str(self.conf), "--run-date", run_date.isoformat()]

    def table(self, spark: SparkSession, table: Table) -> DataFrame:
        return Lake(spark, str(self.folder / "lake"), {}).read(table)

    def hide(self, spark: SparkSession) -> None:
        """Say of a few items, long before any run, that they are hidden."""
        rows = [(item, "hidden", date(2020, 1, 1), None, "a test") for item in self.hidden]
        Lake(spark, str(self.folder / "lake"), {}).append(
            ITEM_RULES, spark.createDataFrame(rows, ITEM_RULES.schema)
        )

    @property
    def hidden(self) -> list[str]:
        return [str(item["item_id"]) for item in self.log.items()][:20]

    def override(self, name: str, changes: Mapping[str, Any]) -> list[str]:
        """Flags for the shop's configuration with `changes`, as file `name` beside it."""
        settings = yaml.safe_load(self.conf.read_text())
        for section, keys in changes.items():
            settings[section] = settings.get(section, {}) | keys
        path = self.folder / name
        path.write_text(yaml.safe_dump(settings))
        return ["--conf", str(path), "--run-date", LAST_DAY.isoformat()]


def job(name: str) -> Job:
    """The job of jobs/<name>.py, loaded as spark-submit loads it."""
    found = runpy.run_path(str(ROOT / "jobs" / f"{name}.py"))["main"]
    assert isinstance(found, Job)
    return found


def make_shop(folder: Path) -> Shop:
    log = generate(PLAN)
    lines, planted = plant(log.events(), DIRT, seed=7)
    newcomers = [{"user_id": f"newcomer-{n}"} for n in range(3)]
    nobody = {"age": 33}  # a line without an id
    write_log(folder / "raw", by_day(lines), log.items(), [*log.users(), *newcomers, nobody])
    settings = {
        "lake": {"root": str(folder / "lake")},
        "source": {
            "site": "shop",
            "events": str(folder / "raw" / "events"),
            "items": str(folder / "raw" / "items.jsonl.gz"),
            "users": str(folder / "raw" / "users.jsonl.gz"),
        },
        "sessions": {"bot_events_per_minute": 60},
        "sequences": {"max_length": 20, "length_buckets": [10, 20], "row_groups": 4},
        "model": {"width": 32, "embedding_dropout": 0.1, "dropout": 0.1},
        "training": {
            "batch_size": 32,
            "learning_rate": 0.01,
            "max_epochs": 15,
            "artifacts": str(folder / "artifacts"),
        },
        "scoring": {"n": 8, "users_per_block": 50},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db"},
        "report": {"folder": str(folder / "reports")},
    }
    shutil.copy(ROOT / "conf" / "base.yaml", folder / "base.yaml")
    (folder / "shop.yaml").write_text(yaml.safe_dump(settings))
    return Shop(folder, log, planted)
