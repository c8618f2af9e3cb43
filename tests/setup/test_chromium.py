"""Set-up finds Chromium, or brings it where it may, or says in one line what is left out."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = """
echo "apt-get $*" >> {log}
case "$*" in *install*) printf '#!/bin/sh\\n' > {bin}/chromium; chmod +x {bin}/chromium ;; esac
"""


def run(folder: Path, *flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run chromium.sh on a machine with the commands of `folder` alone."""
    bash = shutil.which("bash")
    assert bash is not None
    script = ROOT / ".ci" / "chromium.sh"
    return subprocess.run(
        [bash, script, *flags], env={"PATH": str(folder), **env}, capture_output=True, text=True, check=False
    )


def command(folder: Path, name: str, does: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{does}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine of root's, without Chromium and without apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command(folder, "id", "echo 0")
    for name in ("timeout", "chmod"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_where_there_is_one_nothing_is_said_or_done(machine: Path, name: str) -> None:
    command(machine, name, "")
    command(machine, "apt-get", "exit 1")
    ran = run(machine)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert run(machine, "--path").stdout.strip() == str(machine / name)


def test_root_gets_debians(machine: Path, tmp_path: Path) -> None:
    log = tmp_path / "apt.log"
    command(machine, "apt-get", INSTALL.format(log=log, bin=machine))
    assert run(machine).returncode == 0
    assert log.read_text().splitlines() == [
        "apt-get update",
        "apt-get install --yes --no-install-recommends chromium",
    ]
    assert run(machine, "--path").returncode == 0


@pytest.mark.parametrize(("user", "apt"), [("1000", "exit 0"), ("0", "exit 100"), ("0", None)])
def test_where_none_can_be_had_one_line_says_what_is_skipped(
    machine: Path, user: str, apt: str | None
) -> None:
    command(machine, "id", f"echo {user}")
    if apt is not None:
        command(machine, "apt-get", apt)
    ran = run(machine)
    assert ran.returncode == 0
    assert ran.stderr.splitlines()[-1] == (
        "no Chromium: the tests that look at a page are skipped. On Debian, as root: apt-get install chromium"
    )
    assert run(machine, "--path").returncode == 1
