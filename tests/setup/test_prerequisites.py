import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / ".ci" / "prerequisites.sh"
STAND_INS = {
    "python3.11": f'exec {sys.executable} "$@"',
    "java": "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2",
    "g++": "echo g++",
    "cmake": "echo cmake",
    "make": "echo make",
}


def machine(folder: Path, *without: str, **instead: str) -> Path:
    """Give a folder of commands that stands for a machine that lacks some and has others instead."""
    folder.mkdir()
    for command, does in {**STAND_INS, **instead}.items():
        if command not in without:
            program = folder / command
            program.write_text(f"#!/bin/bash\n{does}\n")
            program.chmod(0o755)
    return folder


def check(path: Path, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, CHECK, *flags], env={"PATH": str(path), **env}, capture_output=True, text=True, check=False
    )


def test_a_complete_machine_passes_in_silence(tmp_path: Path) -> None:
    got = check(machine(tmp_path / "bin"))
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")


def test_an_empty_machine_is_told_everything_in_one_line_to_paste(tmp_path: Path) -> None:
    got = check(machine(tmp_path / "bin", *STAND_INS))
    assert got.returncode == 1
    assert got.stderr.splitlines()[-1] == (
        "On Debian, as root: apt-get install "
        "python3.11 python3.11-venv openjdk-17-jdk-headless g++ cmake make"
    )


@pytest.mark.parametrize(
    ("command", "package"),
    [("java", "openjdk-17-jdk-headless"), ("g++", "g++"), ("cmake", "cmake"), ("make", "make")],
)
def test_only_what_is_missing_is_named(tmp_path: Path, command: str, package: str) -> None:
    got = check(machine(tmp_path / "bin", command))
    assert got.returncode == 1
    assert got.stderr.splitlines()[-1] == f"On Debian, as root: apt-get install {package}"


def test_a_jdk_of_another_version_is_named_with_its_version(tmp_path: Path) -> None:
    got = check(machine(tmp_path / "bin", java="echo 'openjdk version \"11.0.2\" 2019-01-15' >&2"))
    assert got.returncode == 1
    assert "JDK 17 or 21 (java is 11.0.2)" in got.stderr


def test_jdk_21_will_do(tmp_path: Path) -> None:
    assert (
        check(machine(tmp_path / "bin", java="echo 'openjdk version \"21\" 2023-09-19' >&2")).returncode == 0
    )


def test_java_home_goes_before_the_path_as_it_does_for_spark(tmp_path: Path) -> None:
    got = check(machine(tmp_path / "bin"), JAVA_HOME="/nowhere")
    assert got.returncode == 1
    assert "JAVA_HOME=/nowhere" in got.stderr


def test_a_python_of_another_version_is_named_with_its_version(tmp_path: Path) -> None:
    other = 'case "$*" in *platform*) echo 3.12.4 ;; *) exit 1 ;; esac'
    got = check(machine(tmp_path / "bin", "python3.11", python3=other))
    assert got.returncode == 1
    assert "Python 3.11 (python3 is 3.12.4)" in got.stderr


def test_a_python_without_its_venv_module_is_named(tmp_path: Path) -> None:
    split = f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac'
    got = check(machine(tmp_path / "bin", "python3.11", python3=split))
    assert got.returncode == 1
    assert got.stderr.splitlines()[-1] == "On Debian, as root: apt-get install python3.11-venv"


def test_the_variable_python_overrides_the_search(tmp_path: Path) -> None:
    bare = machine(tmp_path / "bin", "python3.11")
    assert check(bare).returncode == 1
    assert check(bare, PYTHON=sys.executable).returncode == 0
    assert check(bare, "--python", PYTHON=sys.executable).stdout.strip() == sys.executable


def test_make_installs_nothing_on_a_machine_that_lacks_something(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    shutil.copytree(ROOT / "conf" / "locks", clone / "conf" / "locks")
    for name in ("Makefile", "setup.py"):
        shutil.copy(ROOT / name, clone)
    before = set(clone.rglob("*"))

    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    got = subprocess.run(
        ["make", "setup"],
        env={**env, "JAVA_HOME": "/nowhere"},
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )

    assert got.returncode != 0
    assert "openjdk-17-jdk-headless" in got.stderr
    assert set(clone.rglob("*")) == before
