"""MovieLens out of a wheel: a tiny wheel with the file's oddities, made here, stands for the real one."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lstmrec.samples import movielens
from tests.samples.logs import bytes_of, events_of, records_of

INTER = """\
user_id:token\titem_id:token\trating:float\ttimestamp:float
2\t267\t3\t881279997
1\t1\t5\t881279999
1\t1412\t4\t881280000
2\t1373\t1\t881279997
"""
ITEM = """\
item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq
1\tToy Story\t1995\tAnimation Children's Comedy
267\tunkonwn\tunkonwn\tunknown
1373\tGood Morning\t1971\tunknown
1412\tLand Before Time III: The Time of the Great Giving (1995)\tV\tAnimation Children's
544\tMisérables, Les (Hugo)\t1995\tFilm-Noir Sci-Fi
"""
USER = """\
user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token
1\t24\tM\ttechnician\t85711
2\t53\tF\tother\t94043
"""


def a_wheel(folder: Path, **parts: str | None) -> Path:
    """A wheel with the three files; a part given as None is left out."""
    wheel = folder / "recbole-1.2.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for part, text in ({"inter": INTER, "item": ITEM, "user": USER} | parts).items():
            if text is not None:
                archive.writestr(f"recbole/dataset_example/ml-100k/ml-100k.{part}", text)
    return wheel


def run(wheel: Path, out: Path) -> int:
    return movielens.main(["--wheel", str(wheel), "--out", str(out)])


def test_every_rating_film_and_user_is_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(a_wheel(tmp_path), tmp_path / "log") == 0

    assert sum(len(events) for events in events_of(tmp_path / "log").values()) == 4
    assert len(records_of(tmp_path / "log" / "items.jsonl.gz")) == 5
    assert "4 events, 5 items, 2 users" in capsys.readouterr().out


def test_a_rating_is_an_event_of_a_user_without_a_device(tmp_path: Path) -> None:
    run(a_wheel(tmp_path), tmp_path / "log")

    assert events_of(tmp_path / "log")["date=1997-12-05"][-1] == {
        "event_id": "ml-100k-000003",
        "user_id": "1",
        "item_id": "1412",
        "event_type": "rate",
        "created_ts": "1997-12-05T00:00:00.000000Z",
        "sent_ts": "1997-12-05T00:00:01.000000Z",
        "received_ts": "1997-12-05T00:00:02.000000Z",
        "rating": 4.0,
    }


def test_the_folder_is_the_day_of_receipt_and_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    run(a_wheel(tmp_path), tmp_path / "log")

    ids = {
        day: [event["event_id"][-1] for event in events]
        for day, events in events_of(tmp_path / "log").items()
    }
    assert ids == {"date=1997-12-04": ["1", "4"], "date=1997-12-05": ["2", "3"]}


def test_the_odd_films_are_put_right(tmp_path: Path) -> None:
    run(a_wheel(tmp_path), tmp_path / "log")

    assert records_of(tmp_path / "log" / "items.jsonl.gz") == [
        {"item_id": "1", "title": "Toy Story", "year": 1995, "genres": ["Animation", "Children's", "Comedy"]},
        {"item_id": "267", "title": "unknown", "genres": []},
        {"item_id": "1373", "title": "Good Morning", "year": 1971, "genres": []},
        {
            "item_id": "1412",
            "title": "Land Before Time III: The Time of the Great Giving",
            "year": 1995,
            "genres": ["Animation", "Children's"],
        },
        {
            "item_id": "544",
            "title": "Misérables, Les (Hugo)",
            "year": 1995,
            "genres": ["Film-Noir", "Sci-Fi"],
        },
    ]


def test_users_have_their_attributes_but_no_zip_code(tmp_path: Path) -> None:
    run(a_wheel(tmp_path), tmp_path / "log")

    assert records_of(tmp_path / "log" / "users.jsonl.gz") == [
        {"user_id": "1", "age": 24, "gender": "M", "occupation": "technician"},
        {"user_id": "2", "age": 53, "gender": "F", "occupation": "other"},
    ]


def test_the_same_wheel_gives_the_same_bytes(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path)
    run(wheel, tmp_path / "one")
    run(wheel, tmp_path / "two")

    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"user": None}, "holds no recbole/dataset_example/ml-100k/ml-100k.user"),
        ({"item": "id,title\n"}, "ml-100k.item does not start with"),
        ({"item": ""}, "ml-100k.item does not start with"),
        ({"inter": INTER + "1\t2\n"}, "ml-100k.inter line 6 has 2 columns, not 4"),
        ({"inter": INTER + "1\t2\t3\tnoon\n"}, "rating 5: '3' at 'noon' is no rating at a time"),
    ],
)
def test_a_wheel_that_is_not_the_right_one_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: dict[str, str | None], complaint: str
) -> None:
    assert run(a_wheel(tmp_path, **parts), tmp_path / "log") == 2

    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1
    assert not (tmp_path / "log").exists()


def test_a_wheel_that_is_no_zip_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recbole.whl").write_bytes(b"half a download")

    assert run(tmp_path / "recbole.whl", tmp_path / "log") == 2
    assert "recbole.whl: cannot be read" in capsys.readouterr().err


def test_a_missing_wheel_ends_the_command_with_2_and_says_how_to_get_it(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lstmrec.samples.movielens",
        "--wheel",
        "nowhere.whl",
        "--out",
        str(tmp_path / "log"),
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert (
        done.stderr
        == "error: nowhere.whl: no such wheel; fetch it with: pip download --no-deps recbole==1.2.1\n"
    )
