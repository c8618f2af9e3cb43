"""Write MovieLens-100K, as it lies in the RecBole wheel, the way a web log looks.

    python -m lstmrec.samples.movielens --wheel recbole-1.2.1-py3-none-any.whl --out var/raw/ml-100k

The wheel is read as the zip file it is and never installed. A rating becomes an event of type
"rate" of a logged-in user (MovieLens has accounts and tells of no devices). MovieLens knows only
when a rating was made; the log says it was sent one second and received two seconds later. A fixed
delay keeps event times exact: `created_ts` is the rating's own time, and a clock correction by
`received_ts - (sent_ts - created_ts)` moves all events by the same second, so order, pauses and
sessions are those of MovieLens, and the same wheel gives the same bytes. The day's folder is that of
the receipt, as in any log: a rating made at 23:59:59 lies in the next day's folder.
"""

import argparse
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lstmrec.samples.raw_log import RawEvent, Record, SampleError, by_day, to_text, write_log

FOLDER = "recbole/dataset_example/ml-100k"
COLUMNS = {
    "inter": ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
    "item": ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"),
    "user": ("user_id:token", "age:token", "gender:token", "occupation:token", "zip_code:token"),
}
SENT_AFTER = timedelta(seconds=1)
RECEIVED_AFTER = timedelta(seconds=2)
NO_GENRE = "unknown"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the log that the flags ask for; 2 and one line on stderr if that cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m lstmrec.samples.movielens",
        description="Write MovieLens-100K from the RecBole wheel as a raw web log.",
    )
    parser.add_argument(
        "--wheel", type=Path, required=True, help="recbole-1.2.1-py3-none-any.whl (read, not installed)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the log; a log that is there is replaced"
    )
    flags = parser.parse_args(argv)
    try:
        tables = read_wheel(flags.wheel)
        events = sorted(to_events(tables["inter"]), key=lambda event: (event.received_ts, event.event_id))
        items = [to_item(row) for row in tables["item"]]
        users = [to_user(row) for row in tables["user"]]
        write_log(flags.out, by_day(events), items, users)
    except SampleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{flags.out}: {len(events)} events, {len(items)} items, {len(users)} users")
    return 0


def read_wheel(wheel: Path) -> dict[str, list[list[str]]]:
    """The rows of each of the three files, in the file's order, header checked and left out."""
    if not wheel.is_file():
        raise SampleError(f"{wheel}: no such wheel; fetch it with: pip download --no-deps recbole==1.2.1")
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {part: list(_rows(archive, wheel, part)) for part in COLUMNS}
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise SampleError(f"{wheel}: cannot be read ({error}); fetch the wheel again") from error


def _rows(archive: zipfile.ZipFile, wheel: Path, part: str) -> Iterator[list[str]]:
    name = f"{FOLDER}/ml-100k.{part}"
    try:
        lines = archive.read(name).decode().splitlines()
    except KeyError:
        raise SampleError(f"{wheel}: holds no {name}; give the wheel of recbole 1.2.1") from None
    if not lines or tuple(lines[0].split("\t")) != COLUMNS[part]:
        raise SampleError(
            f"{wheel}: {name} does not start with {COLUMNS[part]}; give the wheel of recbole 1.2.1"
        )
    for number, line in enumerate(lines[1:], start=2):
        row = line.split("\t")
        if len(row) != len(COLUMNS[part]):
            raise SampleError(
                f"{wheel}: {name} line {number} has {len(row)} columns, not {len(COLUMNS[part])}"
            )
        yield row


def to_events(ratings: Sequence[Sequence[str]]) -> Iterator[RawEvent]:
    """One event per rating, numbered by its place in the file: ids settle equal times in file order."""
    for number, (user_id, item_id, rating, timestamp) in enumerate(ratings, start=1):
        try:
            created = datetime.fromtimestamp(float(timestamp), UTC)
            score = float(rating)
        except (ValueError, OverflowError, OSError):
            raise SampleError(
                f"rating {number}: {rating!r} at {timestamp!r} is no rating at a time"
            ) from None
        yield RawEvent(
            event_id=f"ml-100k-{number:06d}",
            user_id=user_id,
            item_id=item_id,
            event_type="rate",
            created_ts=to_text(created),
            sent_ts=to_text(created + SENT_AFTER),
            received_ts=to_text(created + RECEIVED_AFTER),
            extra={"rating": score},
        )


def to_item(row: Sequence[str]) -> Record:
    """The catalogue's line of one film.

    Two films of the file are odd. Item 267 is "unkonwn" in title and year: it stays, titled
    "unknown", without a year. Item 1412 has its year behind its title, "... (1995)", and the V of
    "video" as the year. A film without a genre has an empty list.
    """
    item_id, title, year, genres = row
    glued = re.fullmatch(r"(.+) \((\d{4})\)", title)
    if not re.fullmatch(r"\d{4}", year) and glued:
        title, year = glued.groups()
    item: dict[str, Any] = {"item_id": item_id, "title": "unknown" if title == "unkonwn" else title}
    if re.fullmatch(r"\d{4}", year):
        item["year"] = int(year)
    item["genres"] = [genre for genre in genres.split() if genre != NO_GENRE]
    return item


def to_user(row: Sequence[str]) -> Record:
    """The attributes of one user; the zip code is left out, being the one that could name a person."""
    user_id, age, gender, occupation, _ = row
    user: dict[str, Any] = {"user_id": user_id}
    if age.isdigit():
        user["age"] = int(age)
    return user | {"gender": gender, "occupation": occupation}


if __name__ == "__main__":
    sys.exit(main())
