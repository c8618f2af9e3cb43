"""The rules of the house: which part may use which, read from the imports of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FOUNDATION = {"columns", "config", "errors", "mapping", "recipe", "sections"}
BELOW_CONFIG = {"layers", "paths"}
PARTS = {"lake", "learn", "prepare", "rank"}
BRIDGES = {
    *("baselines", "evaluation", "gate", "ingestion", "lists", "nightly", "outcomes", "promotion", "report"),
    *("runtime", "scoring", "sessionization", "shelf", "tallies", "tracking", "training", "tuning"),
}

MAY_USE = {
    "columns": set(),
    "errors": set(),
    "layers": {"errors"},
    "paths": set(),
    "sections": set(),
    "mapping": {"paths", "sections"},
    "recipe": {"sections"},
    "config": {"errors", "layers", "mapping", "recipe", "sections"},
    "rank": set(),
    "lake": FOUNDATION,
    "learn": FOUNDATION,
    "prepare": FOUNDATION | {"paths"},
    "baselines": FOUNDATION | {"prepare", "rank"},
    "tallies": FOUNDATION | {"rank"},
    "evaluation": FOUNDATION | {"prepare", "rank", "tallies"},
    "report": FOUNDATION | {"lake", "learn"},
    "runtime": FOUNDATION | {"lake"},
    "ingestion": FOUNDATION | {"lake", "prepare"},
    "sessionization": FOUNDATION | {"lake", "prepare"},
    "scoring": FOUNDATION | PARTS,
    "shelf": FOUNDATION | {"rank"},
    "lists": FOUNDATION | {"rank", "scoring", "shelf"},
    "gate": FOUNDATION | {"shelf"},
    "outcomes": FOUNDATION | {"lake", "prepare", "rank"},
    "promotion": FOUNDATION | {"gate", "lake"},
    "nightly": FOUNDATION | PARTS | {"baselines", "gate", "lists", "scoring", "shelf"},
    "tracking": FOUNDATION | {"lake", "learn"},
    "training": FOUNDATION | PARTS,
    "tuning": FOUNDATION | PARTS | {"layers", "training"},
    "samples": set(),
}
"""Part of lstmrec -> the other parts that it may import; lstmrec itself holds but the version."""

ONLY_IN = {
    "delta": "lstmrec/lake/",
    "petastorm": "lstmrec/learn/feed.py",
    "horovod": "lstmrec/learn/distributed.py",
    "tensorflow": "lstmrec/learn/",
    "keras": "lstmrec/learn/",
    "onnxruntime": "lstmrec/learn/",
    "mlflow": "lstmrec/tracking.py",
    "optuna": "lstmrec/learn/study.py",
}

CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("F", "current_timestamp"),
    ("F", "current_date"),
    ("F", "now"),
}


def files(*folders: str) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for f in folders for path in (ROOT / f).rglob("*.py"))


OURS = files("lstmrec", "jobs")
MODULES = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in OURS}


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def imports(path: str) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    return {name for node in ast.walk(tree(path)) for name in imported(node)}


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            yield full if full in MODULES else str(node.module)


def part(module: str) -> str:
    """The part of the house that a module of ours belongs to: lstmrec.lake.store -> lake."""
    return module.split(".")[1] if "." in module else ""


def used_parts(path: str) -> set[str]:
    return {part(name) for name in imports(path) if name.split(".")[0] == "lstmrec"} - {""}


def test_the_scan_sees_every_way_to_import() -> None:
    code = "import a.b\nfrom lstmrec import columns as c\ndef f():\n    from lstmrec.lake.store import Lake\n"
    seen = {name for node in ast.walk(ast.parse(code)) for name in imported(node)}
    assert seen == {"a.b", "lstmrec.columns", "lstmrec.lake.store"}


def test_every_part_of_the_package_has_its_rule() -> None:
    parts = {part(name) for name in MODULES if name.startswith("lstmrec.")}
    assert parts == set(MAY_USE) == FOUNDATION | BELOW_CONFIG | PARTS | BRIDGES | {"samples"}


@pytest.mark.parametrize("path", files("lstmrec"))
def test_a_part_uses_only_what_lies_below_it(path: str) -> None:
    own = Path(path).with_suffix("").parts[1]
    allowed = MAY_USE.get(own, set()) | {own}
    assert used_parts(path) - allowed == set()


@pytest.mark.parametrize("path", files("lstmrec/rank"))
def test_ranking_is_numpy_and_the_standard_library_alone(path: str) -> None:
    allowed = sys.stdlib_module_names | {"numpy", "lstmrec"}
    assert {name.split(".")[0] for name in imports(path)} - allowed == set()


@pytest.mark.parametrize("path", files("lstmrec/prepare"))
def test_preparing_is_spark_and_arrow_and_the_standard_library_alone(path: str) -> None:
    allowed = sys.stdlib_module_names | {"pyspark", "pyarrow", "numpy", "lstmrec"}
    assert {name.split(".")[0] for name in imports(path)} - allowed == set()


@pytest.mark.parametrize("path", [p for p in files("lstmrec/learn") if not p.endswith("distributed.py")])
def test_learning_knows_no_spark(path: str) -> None:
    assert "pyspark" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_in_its_own_place_and_nowhere_else(library: str) -> None:
    users = {p for p in OURS if library in {name.split(".")[0] for name in imports(p)}}
    assert users
    assert {path for path in users if not path.startswith(ONLY_IN[library])} == set()


@pytest.mark.parametrize("path", files("jobs"))
def test_a_job_builds_on_the_package_and_on_spark_alone(path: str) -> None:
    allowed = sys.stdlib_module_names | {"lstmrec", "pyspark"}
    assert {name.split(".")[0] for name in imports(path)} - allowed == set()


@pytest.mark.parametrize("path", files("lstmrec", "jobs"))
def test_nothing_imports_a_job(path: str) -> None:
    jobs = {"jobs"} | {Path(job).stem for job in files("jobs")}
    assert {name.split(".")[0] for name in imports(path)} & jobs == set()


@pytest.mark.parametrize("path", files("airflow_dags"))
def test_a_dag_imports_nothing_of_ours(path: str) -> None:
    ours = {"lstmrec", "jobs"} | {Path(job).stem for job in files("jobs")}
    assert {name.split(".")[0] for name in imports(path)} & ours == set()


@pytest.mark.parametrize("module", ["lstmrec.scoring", "lstmrec.learn.artifact", "lstmrec.rank.top_n"])
def test_what_runs_on_executors_needs_no_training_stack(module: str) -> None:
    heavy = {"tensorflow", "keras", "horovod", "petastorm", "tf2onnx"}
    code = f"import sys; import {module}; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("path", files("jobs"))
def test_a_job_fits_one_screen(path: str) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= 70


@pytest.mark.parametrize("path", files("lstmrec"))
def test_a_file_has_one_reason_to_change(path: str) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= 260


@pytest.mark.parametrize("path", OURS)
def test_the_run_date_is_the_only_clock(path: str) -> None:
    called = {
        (node.value.id, node.attr)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert called & CLOCKS == set()
    assert not {"time", "current_timestamp", "current_date"} & names_imported_from(path, "time", "pyspark")


def names_imported_from(path: str, *packages: str) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in packages
        for alias in node.names
    }
