import re
import runpy
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "conf" / "locks"
RESOLVED = ["main", "build", "airflow", "analyst"]


def requirements(lock: str) -> list[str]:
    """Give the requirements of a lock file, each as one line with its hashes."""
    text = (LOCKS / f"{lock}.txt").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("lock", [*RESOLVED, "horovod", "data"])
def test_every_requirement_has_one_version_and_a_hash(lock: str) -> None:
    rows = requirements(lock)
    assert rows
    for row in rows:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", row), row


@pytest.mark.parametrize("lock", RESOLVED)
def test_a_lock_names_no_host_and_no_path_of_the_machine_it_was_made_on(lock: str) -> None:
    text = (LOCKS / f"{lock}.txt").read_text()
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted|(?<![\w.])/[a-z]+/", text)


def test_what_breaks_pyspark_stays_out() -> None:
    assert not [row for row in requirements("main") if row.startswith("googleapis-common-protos")]


def test_horovod_is_asked_for_in_the_version_that_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: dict[str, dict[str, list[str]]] = {}
    monkeypatch.setattr(setuptools, "setup", declared.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    assert requirements("horovod")[0].split()[0] in declared["extras_require"]["train"]


def test_the_environment_holds_the_locked_versions() -> None:
    for row in requirements("main"):
        name, _, rest = row.partition("==")
        assert version(name) == rest.split()[0], name


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HOROVOD_GPU_OPERATIONS", "NCCL"), ("CXXFLAGS", "-O3"), ("HOROVOD_CUDA_HOME", "/opt/cuda")],
)
def test_another_way_to_build_horovod_is_another_wheel(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    plain = horovod_key()
    assert horovod_key() == plain
    monkeypatch.setenv(variable, value)
    assert horovod_key() != plain


def test_settings_of_a_run_leave_the_horovod_wheel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = horovod_key()
    monkeypatch.setenv("HOROVOD_LOG_LEVEL", "debug")
    assert horovod_key() == plain


def horovod_key() -> str:
    got = subprocess.run([ROOT / ".ci" / "horovod.sh", "key"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"[0-9a-f]{16}\n", got.stdout)
    return got.stdout
