"""The commands of docs/operations.md, run as they stand there on a copy of the small shop."""

import json
import os
import re
import shlex
import shutil
import string
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructField, StructType

from lstmrec import columns as c
from lstmrec.errors import BrokenContract
from lstmrec.lake import models
from lstmrec.lake import tables as t
from lstmrec.lake.list_tables import ITEM_RULES
from lstmrec.lake.store import Lake
from lstmrec.lake.table import Table
from lstmrec.samples.dirt import Dirt
from tests.jobs.shop import DIRT, LAST_DAY, ROOT, Shop, job

pytestmark = pytest.mark.slow

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in GUIDE.split("\n## ")[1:]}
BLOCK = re.compile(r"^```(bash|sql)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEXT_DAY = LAST_DAY + timedelta(days=1)
DATABASE = "operations"


class Operator:
    """Who follows the guide on a lake of one's own, for the day after the shop's last."""

    def __init__(self, spark: SparkSession, shop: Shop, folder: Path) -> None:
        self.spark, self.shop, self.folder = spark, shop, folder
        self.events = folder / "events"
        shutil.copytree(shop.folder / "lake", folder / "lake")
        shutil.copytree(shop.folder / "raw" / "events", self.events)
        shutil.copy(shop.folder / "base.yaml", folder)
        self.variables = {"CONF": str(folder / "own.yaml"), "DAY": NEXT_DAY.isoformat()}
        self.use({})
        self.follow("Operations")

    def use(self, changes: Mapping[str, Mapping[str, object]]) -> None:
        settings = yaml.safe_load(self.shop.conf.read_text())
        settings["lake"] = {"root": str(self.folder / "lake"), "database": DATABASE}
        settings["report"] = {"folder": str(self.folder / "reports")}
        settings["source"] |= {"events": str(self.shop.folder / "raw" / "events")}
        for section, keys in changes.items():
            settings[section] = settings.get(section, {}) | keys
        Path(self.variables["CONF"]).write_text(yaml.safe_dump(settings))

    def follow(self, heading: str, **variables: str) -> list[Row]:
        """Run all blocks of a section in their order; the rows of the last query."""
        told, rows = self.variables | variables, []
        for language, block in BLOCK.findall(SECTIONS.get(heading, GUIDE.partition("\n## ")[0])):
            typed = string.Template(block).substitute(told)
            if language == "sql":
                rows = self.spark.sql(typed.replace("lstmrec.", f"{DATABASE}.")).collect()
            else:
                for line in typed.splitlines():
                    self._type(line, told)
        return rows

    def _type(self, line: str, variables: Mapping[str, str]) -> None:
        *settings, program = re.split(r" (?=spark-submit )", line)
        if program.startswith("airflow "):
            return  # Airflow's own parser reads it in tests/airflow_dags, and the drill does it
        if program.startswith("make "):  # takes minutes: that there is such a target must do
            program = f"make --dry-run --directory {ROOT}{program.removeprefix('make')}"
        if not program.startswith("spark-submit "):
            own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
            subprocess.run(["bash", "-euc", program], check=True, env=own | dict(variables))
            return
        _, application, *flags = shlex.split(program)
        with pytest.MonkeyPatch.context() as environ:
            for name, _, value in (setting.partition("=") for setting in shlex.split(" ".join(settings))):
                environ.setenv(name, value)
            job(Path(application).stem)(flags)

    @property
    def flags(self) -> list[str]:
        return ["--conf", self.variables["CONF"], "--run-date", self.variables["DAY"]]

    def write(self, table: Table, row: tuple[object, ...]) -> None:
        lake = Lake(self.spark, str(self.folder / "lake"), {})
        lake.append(table, self.spark.createDataFrame([row], table.schema))

    def rows(self, table: Table, root: Path | None = None) -> DataFrame:
        return Lake(self.spark, str(root or self.folder / "lake"), {}).read(table)

    def lists(self, day: str) -> DataFrame:
        return self.rows(t.RECOMMENDATIONS).where(F.col(c.RUN_DATE) == day)


@pytest.fixture
def operator(spark: SparkSession, shop: Shop, tmp_path: Path) -> Operator:
    return Operator(spark, shop, tmp_path)


def test_every_section_with_a_command_is_followed_by_a_test_here() -> None:
    followed = set(re.findall(r'operator\.follow\("([^"]+)"', Path(__file__).read_text(encoding="utf-8")))
    with_commands = {heading for heading, text in SECTIONS.items() if BLOCK.search(text)}
    assert with_commands - {"When a task failed"} == followed  # its one command is Airflow's


def test_every_task_of_the_dags_stands_in_the_table_of_failures() -> None:
    tasks = set(re.findall(r"^\| `(\w+)` \|", SECTIONS["When a task failed"], re.MULTILINE))
    rendered = re.findall(
        r'spark_job\("(\w+)"', "".join(p.read_text() for p in (ROOT / "airflow_dags").glob("*.py"))
    )
    assert tasks == set(rendered)


def test_every_link_within_the_guide_has_its_section() -> None:
    anchors = {re.sub(r"[^a-z0-9-]", "", heading.lower().replace(" ", "-")) for heading in SECTIONS}
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", GUIDE)) <= anchors


def test_the_reasons_of_quarantine_are_told_with_their_numbers(operator: Operator) -> None:
    told = operator.follow("See why rows are in quarantine", DAY=LAST_DAY.isoformat())
    kept = operator.rows(t.EVENTS_QUARANTINE).groupBy(c.REASON).count().collect()
    assert {row[c.REASON]: row["n_rows"] for row in told} == {row[c.REASON]: row["count"] for row in kept}


def test_refused_lists_are_explained_and_published_once_the_limit_is_lifted(operator: Operator) -> None:
    (top,) = operator.lists(LAST_DAY.isoformat()).where("rank = 1").select(c.ITEM_ID).take(1)
    operator.write(ITEM_RULES, (top[0], "hidden", NEXT_DAY, None, "recalled"))
    job("build_sequences")(operator.flags)
    operator.use({"gate": {"min_overlap": 0.9999}})  # a hidden item changes some list
    with pytest.raises(SystemExit):
        job("score_recommendations")(operator.flags)
    assert operator.lists(NEXT_DAY.isoformat()).isEmpty()
    (verdict,) = operator.follow("See why lists were refused")
    assert (verdict["rule"], verdict["value"] < 1) == ("overlap", True)
    page = (operator.folder / "reports" / f"{NEXT_DAY}.html").read_text(encoding="utf-8")
    assert "Not published: the lists before stay current" in page
    assert not operator.lists(NEXT_DAY.isoformat()).isEmpty()


def test_the_day_of_the_newest_lists_is_told(operator: Operator) -> None:
    (told,) = operator.follow("Be told of a failure")
    assert told["newest"] == LAST_DAY


def test_a_refused_model_is_shown_beside_the_baselines(operator: Operator) -> None:
    told = operator.follow("See why a model was refused", DAY=LAST_DAY.isoformat())
    assert {row["model"] for row in told} == {"lstm", "popularity", "last_item_covisitation"}


def test_rolled_back_the_older_model_serves_and_has_made_the_lists(operator: Operator) -> None:
    job("build_sequences")(operator.flags)
    (older,) = operator.rows(t.MODEL_RUNS).collect()
    newer = older.asDict() | {c.MODEL_VERSION: "newer", c.RUN_DATE: NEXT_DAY}
    operator.write(t.MODEL_RUNS, tuple(newer[name] for name in t.MODEL_RUNS.columns))
    known = operator.follow("Roll back a model", VERSION=older[c.MODEL_VERSION])
    assert [row[c.MODEL_VERSION] for row in known] == ["newer", older[c.MODEL_VERSION]]
    stages = {row[c.MODEL_VERSION]: row["stage"] for row in operator.rows(t.MODEL_RUNS).collect()}
    assert stages == {"newer": models.RETIRED, older[c.MODEL_VERSION]: models.CURRENT}
    by = operator.lists(NEXT_DAY.isoformat()).select(c.MODEL_VERSION).distinct().collect()
    assert [row[0] for row in by] == [older[c.MODEL_VERSION]]


def test_a_day_by_hand_takes_in_its_log_and_makes_its_lists(operator: Operator) -> None:
    folder = operator.events / f"date={NEXT_DAY}"
    folder.mkdir()
    time = f"{NEXT_DAY}T10:00:00.000000Z"
    (folder / "late.json").write_text(
        json.dumps({"event_id": "of-the-next-day", "user_id": "ann", "item_id": "item-000001"})[:-1]
        + f', "event_type": "view", "created_ts": "{time}", "received_ts": "{time}"}}\n'
    )
    operator.use({"source": {"events": str(operator.events)}})
    operator.follow("Backfill days")
    assert operator.rows(t.SESSIONS).where(F.col(c.SESSION_DATE) == NEXT_DAY.isoformat()).count() == 1
    assert operator.lists(NEXT_DAY.isoformat()).where("user_id = 'ann'").count() == 8


def test_past_sessions_are_cut_by_the_rules_of_today(operator: Operator) -> None:
    before = operator.rows(t.SESSIONS).count()
    operator.use({"sessions": {"gap_minutes": 5}})
    operator.follow("Cut past sessions again")
    assert operator.rows(t.SESSIONS).count() > before


def test_corrected_rows_leave_the_quarantine_and_are_events(operator: Operator) -> None:
    corrections = operator.folder / "corrections"
    operator.use({"source": {"corrections": str(corrections)}})
    n_events, n_kept = (operator.rows(table).count() for table in (t.EVENTS, t.EVENTS_QUARANTINE))
    operator.follow("Re-drive quarantine", CORRECTIONS=str(corrections), WORK=str(operator.folder / "work"))
    mended = DIRT[Dirt.UNKNOWN_TYPE]
    assert operator.rows(t.EVENTS).count() == n_events + mended
    assert operator.rows(t.EVENTS_QUARANTINE).count() == n_kept - mended


def test_a_column_is_added_for_the_code_that_knows_it_and_the_rows_that_stand_have_null(
    operator: Operator,
) -> None:
    n_users = operator.rows(t.USERS).count()
    knowing = replace(t.USERS, schema=StructType([*t.USERS.schema, StructField("consent", BooleanType())]))
    with pytest.raises(BrokenContract, match=r"users: schema of .* differs: consent is missing"):
        operator.rows(knowing)
    operator.follow("Add a column")
    assert operator.rows(knowing).where("consent IS NULL").count() == n_users


def test_before_an_upgrade_a_table_tells_what_it_asks_of_a_reader(operator: Operator) -> None:
    (asked,) = operator.follow("Upgrade")
    assert asked["minReaderVersion"] == 1


def test_a_restored_table_has_the_rows_of_its_version(operator: Operator) -> None:
    before = operator.rows(ITEM_RULES).collect()
    version = Lake(operator.spark, str(operator.folder / "lake"), {}).version(ITEM_RULES)
    operator.write(ITEM_RULES, ("item-000001", "hidden", NEXT_DAY, None, "a slip"))
    operator.follow("Restore a table to a version", VERSION=str(version))
    assert operator.rows(ITEM_RULES).collect() == before


def test_events_and_sessions_built_anew_are_the_same_rows(operator: Operator) -> None:
    anew = operator.folder / "anew"
    operator.follow("Build events and sessions anew", NEW_LAKE=str(anew))
    for table in (t.EVENTS, t.SESSIONS):
        old, new = (models.fingerprint(operator.rows(table, root)) for root in (None, anew))
        assert new == old, table.name
