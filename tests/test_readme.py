"""What README tells people to type, read by what would read it: Spark's own parser, the jobs', make, pip."""

import re
import shutil
import subprocess
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from py4j.java_collections import ListConverter
from pyspark.sql import SparkSession

from lstmrec import __version__, config
from tests.jobs.shop import LAST_DAY, ROOT, Shop, job

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in README.split("\n## ")[1:]}
CLUSTER = SECTIONS["On a cluster"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
JARS = (ROOT / "conf" / "locks" / "jars.txt").read_text(encoding="utf-8")
SAYS_ITS_WORDS = """spark-submit() { for word in "$@"; do printf '%s\\0' "$word"; done; printf '\\n'; }
"""

Words = list[str]


def blocks(text: str, language: str) -> list[str]:
    return [block for found, block in BLOCK.findall(text) if found == language]


def typed() -> list[Words]:
    """The words of each spark-submit in the section, as bash makes them of its variables."""
    to_make_the_archive, variables, lines = "".join(blocks(CLUSTER, "")).partition("ship=")
    assert "venv-pack" in to_make_the_archive
    script = SAYS_ITS_WORDS + variables + lines
    said = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True).stdout
    return [line.split("\0")[:-1] for line in said.splitlines()]


def read_by_spark(spark: SparkSession, words: Words) -> Any:
    """The words as Spark's own spark-submit reads them; it refuses what it does not know."""
    jvm: Any = spark._jvm
    listed = ListConverter().convert(words, jvm._gateway_client)
    sequence = jvm.scala.jdk.javaapi.CollectionConverters.asScala(listed).toSeq()
    nothing = getattr(getattr(jvm.scala.collection.immutable, "Map$"), "MODULE$").empty()
    environ = nothing.updated("HADOOP_CONF_DIR", "/etc/hadoop/conf")
    return jvm.org.apache.spark.deploy.SparkSubmitArguments(sequence, environ)


def of_java(collection: Any) -> list[str]:
    return [str(collection.apply(n)) for n in range(collection.length())]


def test_each_kind_of_cluster_has_its_line() -> None:
    masters = [words[words.index("--master") + 1] for words in typed()]
    assert [re.split(r"[:/]", master)[0] for master in masters] == ["spark", "yarn", "k8s", "yarn"]


@pytest.mark.parametrize("words", typed(), ids=lambda words: str(words[1]))
def test_spark_submit_and_the_job_take_the_line_as_it_is_typed(spark: SparkSession, words: Words) -> None:
    read = read_by_spark(spark, words)
    application = Path(read.primaryResource().removeprefix(f"file:{Path.cwd()}/"))
    assert application.parent.name == "jobs" and (ROOT / application).is_file()
    job(application.stem).parser().parse_args(of_java(read.childArgs()))
    coordinate = read.packages().split(":")
    assert coordinate[0] == "io.delta"
    assert f"  {coordinate[1]}-{coordinate[2]}.jar" in JARS


@pytest.mark.parametrize("words", [w for w in typed() if "--archives" in w], ids=lambda words: str(words[1]))
def test_workers_take_python_and_code_from_what_is_shipped_and_the_driver_its_own(words: Words) -> None:
    given = dict(pair.split("=", 1) for flag, pair in pairwise(words) if flag == "--conf" and "=" in pair)
    archive, _, folder = words[words.index("--archives") + 1].partition("#")
    assert f"venv-pack -p var/env -o {archive}" in CLUSTER
    assert given["spark.pyspark.python"] == f"{folder}/bin/python"
    assert given["spark.pyspark.driver.python"] == ".venv/bin/python"


def test_a_flag_that_spark_does_not_know_would_be_found(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="Unrecognized option '--mastr'"):
        read_by_spark(spark, ["--mastr", "yarn", "jobs/build_sessions.py"])


def test_the_image_has_the_version_of_the_code_and_pip_the_extras_that_are_named() -> None:
    assert re.findall(r"/lstmrec:([\d.]+)", README) == [__version__]
    extras = set(re.findall(r"'?\.\[([\w-]+)\]", README))
    assert extras <= set(metadata("lstmrec").get_all("Provides-Extra") or ()) and "train-gpu" in extras


def test_make_has_every_target_that_is_named() -> None:
    targets = {
        "make run",
        *re.findall(r"`(make [a-z-]+)", README),
        *re.findall(r"^(make [a-z-]+)", README, re.MULTILINE),
    }
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {target.removeprefix("make ") for target in targets} <= made


def test_every_link_leads_to_a_file_and_a_heading_that_are_there() -> None:
    for file, _, heading in (target.partition("#") for target in re.findall(r"\]\(([^)]+)\)", README)):
        page = ROOT / file if file else ROOT / "README.md"
        assert page.exists(), file
        if heading:
            heads = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^a-z0-9-]", "", head.lower().replace(" ", "-")) for head in heads}


def test_the_example_of_a_configuration_is_one(tmp_path: Path) -> None:
    (example,) = blocks(SECTIONS["Your own logs"], "yaml")
    shutil.copy(ROOT / "conf" / "base.yaml", tmp_path)
    (tmp_path / "shop.yaml").write_text(example, encoding="utf-8")
    assert config.load(tmp_path / "shop.yaml").source.site == "shop"


def test_an_analyst_without_spark_sees_a_users_list_by_the_lines_that_are_shown(shop: Shop) -> None:
    (lines,) = blocks(SECTIONS["For analysts"], "python")
    for shown, own in (
        ("var/lake", f"{shop.folder}/lake"),
        ("1998-04-22", str(LAST_DAY)),
        ("'815'", "'newcomer-1'"),
    ):
        assert shown in lines
        lines = lines.replace(shown, own)
    done = subprocess.run(
        [ROOT / ".venv-analyst/bin/python", "-c", lines], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("│ newcomer-1 ") == config.load(shop.conf).scoring.n
