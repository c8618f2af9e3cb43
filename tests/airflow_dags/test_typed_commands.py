"""The commands of Airflow in the documents are commands that this Airflow takes."""

from __future__ import annotations

import re
import shlex

import pytest
from airflow.cli.cli_parser import get_parser
from rendered_argv import REPOSITORY

DOCUMENTS = ("README.md", "docs/airflow.md", "docs/operations.md")
BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FOR_A_DATE = {"$DAY": "2026-01-31", "${DAY}": "2026-01-31", "$extra": "{}"}


def typed(document: str) -> list[str]:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    lines = "".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("airflow ")]


@pytest.mark.parametrize("line", [line for document in DOCUMENTS for line in typed(document)])
def test_airflow_takes_the_command_as_it_is_typed(line: str) -> None:
    for variable, value in FOR_A_DATE.items():
        line = line.replace(variable, value)
    _, *flags = shlex.split(line)
    assert callable(get_parser().parse_args(flags).func)


def test_the_commands_of_a_failed_task_of_alerts_and_of_a_backfill_are_among_them() -> None:
    known = [shlex.split(line)[1:3] for line in typed("docs/operations.md")]
    assert known == [["tasks", "clear"], ["connections", "add"], ["backfill", "create"]]
