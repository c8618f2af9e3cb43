"""What a run's summary says where there is little to say, or where it is to name nobody."""

from lstmrec.lake.store import Lake
from lstmrec.lake.tables import RUN_ACCOUNTING, SESSIONS
from lstmrec.report.summary import summary
from tests.report.planted import MONDAY, TUESDAY


def test_the_lists_of_as_many_users_are_shown_as_are_asked_for(planted: Lake) -> None:
    said = summary(planted, TUESDAY, n=3, n_users=2)
    assert "Lists of 2 users (recommendations, 2026-01-27)" in said
    assert said.count("\nuser ") == 2


def test_nobody_is_named_where_no_user_is_to_be_shown(planted: Lake) -> None:
    said = summary(planted, TUESDAY, n=3, n_users=0)
    assert "Lists of" not in said and "user " not in said


def test_a_night_without_a_training_or_without_lists_is_told_so(lake: Lake) -> None:
    for table in (RUN_ACCOUNTING, SESSIONS):
        lake.create(table)
    said = summary(lake, MONDAY, n=3, n_users=2)
    assert "nothing was evaluated for this date" in said
    assert "none are published for this date" in said
