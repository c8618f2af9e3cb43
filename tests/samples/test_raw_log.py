"""The raw log's lines, folders and files."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmrec.samples.raw_log import RawEvent, SampleError, TextLine, by_day, to_instant, to_text, write_log
from tests.samples.logs import bytes_of, events_of, lines_of

NOON = "2026-01-31T12:00:00.000000Z"


def test_an_absent_value_is_an_absent_key_and_extras_come_last_by_name() -> None:
    event = RawEvent(event_id="e1", item_id="7", received_ts=NOON, extra={"rating": 4.0, "page": "é"})

    assert event.text == f'{{"event_id":"e1","item_id":"7","received_ts":"{NOON}","page":"é","rating":4.0}}'


def test_an_extra_cannot_hide_a_field() -> None:
    with pytest.raises(SampleError, match="e1: extra 'item_id' hides"):
        _ = RawEvent(event_id="e1", extra={"item_id": "8"}).text


def test_a_line_lies_in_the_folder_of_the_day_it_was_received_on() -> None:
    late = RawEvent(
        event_id="late", created_ts="2026-01-31T23:59:59.000000Z", received_ts="2026-02-01T00:00:01.000000Z"
    )
    early = RawEvent(event_id="early", received_ts="2026-01-31T23:59:59.999999Z")
    broken = TextLine(date(2026, 1, 31), "{broken")

    assert by_day([late, early, broken]) == [
        (date(2026, 1, 31), [early.text, "{broken"]),
        (date(2026, 2, 1), [late.text]),
    ]


@pytest.mark.parametrize("received", [None, "soon", "9999-99-99"])
def test_an_event_that_names_no_day_is_refused(received: str | None) -> None:
    with pytest.raises(SampleError, match="names no day"):
        _ = RawEvent(event_id="e1", received_ts=received).day


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1)), st.integers(-12, 12))
def test_times_are_written_in_utc_and_read_back_to_the_microsecond(naive: datetime, hours: int) -> None:
    instant = naive.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))

    text = to_text(instant)

    assert (len(text), text[-1], to_instant(text)) == (27, "Z", instant)


def write(out: Path, *lines: str) -> None:
    write_log(out, [(date(2026, 1, 31), lines)], items=[{"item_id": "1"}], users=[{"user_id": "u"}])


def test_a_log_is_folders_by_day_two_tables_and_a_mark_that_it_is_whole(tmp_path: Path) -> None:
    write(tmp_path / "log", '{"event_id":"e1"}')

    assert sorted(bytes_of(tmp_path / "log")) == [
        "_SUCCESS",
        "events/date=2026-01-31/part-00000.json.gz",
        "items.jsonl.gz",
        "users.jsonl.gz",
    ]
    assert events_of(tmp_path / "log") == {"date=2026-01-31": [{"event_id": "e1"}]}
    assert lines_of(tmp_path / "log" / "items.jsonl.gz") == ['{"item_id":"1"}']


def test_a_log_without_events_still_has_its_tables(tmp_path: Path) -> None:
    write_log(tmp_path / "log", [], items=[], users=[])

    assert sorted(bytes_of(tmp_path / "log")) == ["_SUCCESS", "items.jsonl.gz", "users.jsonl.gz"]


def test_the_same_lines_give_the_same_bytes_under_any_name(tmp_path: Path) -> None:
    write(tmp_path / "one", '{"event_id":"e1"}')
    write(tmp_path / "two", '{"event_id":"e1"}')

    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_a_files_header_tells_neither_its_time_nor_its_name(tmp_path: Path) -> None:
    write(tmp_path / "log", '{"event_id":"e1"}')

    headers = {content[3:8] for name, content in bytes_of(tmp_path / "log").items() if name.endswith(".gz")}
    assert headers == {b"\0" * 5}  # the flags, of which one says that a name follows, and four bytes of time


def test_a_log_replaces_the_log_that_is_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "log", '{"event_id":"e1"}')
    write(tmp_path / "log", '{"event_id":"e2"}')

    assert events_of(tmp_path / "log") == {"date=2026-01-31": [{"event_id": "e2"}]}
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_log_that_breaks_while_it_is_made_leaves_the_old_one_alone(tmp_path: Path) -> None:
    def breaking() -> Iterator[str]:
        yield '{"event_id":"e2"}'
        raise RuntimeError("the disk is gone")

    write(tmp_path / "log", '{"event_id":"e1"}')
    with pytest.raises(RuntimeError, match="the disk is gone"):
        write_log(tmp_path / "log", [(date(2026, 1, 31), breaking())], items=[], users=[])

    assert events_of(tmp_path / "log") == {"date=2026-01-31": [{"event_id": "e1"}]}
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_folder_that_is_no_log_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(SampleError, match="is neither empty nor a whole log"):
        write(tmp_path, '{"event_id":"e1"}')

    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_not_replaced_by_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")

    with pytest.raises(SampleError, match="is a file"):
        write(tmp_path / "log", '{"event_id":"e1"}')
