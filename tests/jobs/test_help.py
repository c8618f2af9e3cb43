"""What a user can type is kept: a change of a flag or its help shows as a change of tests/jobs/help/.

To take the present help as the right one: COLUMNS=100 python tests/jobs/test_help.py
"""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORED = Path(__file__).parent / "help"
JOBS = sorted(path.stem for path in (ROOT / "jobs").glob("*.py"))


def help_of(job: str) -> str:
    text: str = runpy.run_path(str(ROOT / "jobs" / f"{job}.py"))["main"].parser().format_help()
    return text


@pytest.mark.parametrize("job", JOBS)
def test_a_jobs_help_is_the_stored_one(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert help_of(job) == (STORED / f"{job}.txt").read_text()


def test_every_stored_help_is_of_a_job() -> None:
    assert sorted(path.stem for path in STORED.glob("*.txt")) == JOBS


if __name__ == "__main__":
    for name in JOBS:
        (STORED / f"{name}.txt").write_text(help_of(name))
