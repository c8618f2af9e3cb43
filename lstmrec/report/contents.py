"""The sections of a run's page, in their order."""

from datetime import date

from lstmrec.config import Config
from lstmrec.lake.store import Lake
from lstmrec.report.lists import of_gate, of_lists, of_samples
from lstmrec.report.outcomes import of_outcomes
from lstmrec.report.parts import Section
from lstmrec.report.quality import of_quality
from lstmrec.report.traffic import of_rows, of_sessions
from lstmrec.report.training import of_training


def of_run(lake: Lake, config: Config, run_date: date) -> list[Section]:
    """All that the lake tells of `run_date`, and of the runs before it; later ones do not show."""
    rules = config.report
    return [
        of_rows(lake, run_date, rules.runs),
        of_sessions(lake, run_date, rules.days),
        of_training(lake, run_date, rules.runs),
        of_quality(lake, run_date, rules.runs),
        of_lists(lake, run_date, rules.runs),
        of_gate(lake, run_date),
        of_outcomes(lake, run_date, rules.runs),
        of_samples(lake, run_date, rules.sample_users),
    ]
