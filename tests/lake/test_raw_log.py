import gzip
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from lstmrec.config import Config
from lstmrec.errors import BadInput
from lstmrec.lake import raw_log
from lstmrec.lake.raw_log import LogFile

SATURDAY = date(2026, 1, 31)


@pytest.fixture
def pattern(config: Config) -> str:
    return config.source.day_pattern


def write(log: Path, name: str, content: str = "{}\n") -> LogFile:
    path = log / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return LogFile(name, len(content.encode()))


def listed(spark: SparkSession, log: Path | str, pattern: str, day: date = SATURDAY) -> list[LogFile]:
    return raw_log.list_files(spark, str(log), pattern, day, "source.events")


def test_the_files_of_the_days_up_to_the_run_date_are_listed_at_any_depth(
    spark: SparkSession, pattern: str, tmp_path: Path
) -> None:
    log = tmp_path / "a log"
    wanted = [
        write(log, "date=2026-01-01/b.json", "1\n22\n"),
        write(log, "date=2026-01-30/part-2.json.gz"),
        write(log, "date=2026-01-31/a.json"),
        write(log, "date=2026-01-31/hour=03/a+b.json"),
        write(log, "date=2026-01-31/~last.json"),
        write(log, "date=2026-01-31/été.json"),
    ]
    others = ("date=2026-02-01/a.json", "a.json", "date=2026-02-30/a.json", "backup/date=2026-01-01/a.json")
    for other in others:
        write(log, other)
    write(log, "date=2026-01-30/of-no-bytes.json", "")
    for hidden in ("date=2026-01-01/_SUCCESS", "date=2026-01-01/.b.json.crc"):
        write(log, hidden)
    assert listed(spark, log, pattern) == wanted
    assert listed(spark, f"{log}/", pattern, date(2026, 1, 1)) == wanted[:1]


def test_another_layout_of_days_is_read_by_its_pattern(spark: SparkSession, tmp_path: Path) -> None:
    own = write(tmp_path, "2026/01/31/a.json")
    write(tmp_path, "2026/02/01/a.json")
    assert listed(spark, tmp_path, r"(?P<year>\d{4})/(?P<month>\d{2})/(?P<day>\d{2})/") == [own]


def test_a_log_without_a_file_for_the_run_is_told(spark: SparkSession, pattern: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(BadInput, match=f"^source.events: no folder {log}; set it to"):
        listed(spark, log, pattern)
    log.mkdir()
    with pytest.raises(BadInput, match=f"^source.events: {log} holds no file of a day up to 2026-01-31 by"):
        listed(spark, log, pattern)
    write(log, "date=2026-02-01/a.json")
    with pytest.raises(BadInput, match=r"but 1 others, e\.g\. date=2026-02-01/a\.json; check the folder"):
        listed(spark, log, pattern)


def test_lines_come_with_their_file_and_unchanged(spark: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "a log"
    a = write(log, "date=2026-01-30/a+é.json", '{"n": 1}\n\n  broken \n')
    b = write(log, "date=2026-01-31/b.json", "last")
    write(log, "date=2026-01-31/c.json", "not of the batch")
    rows = raw_log.read_lines(spark, f"{log}/", [a, b])
    assert sorted((row["source_file"], row["payload"]) for row in rows.collect()) == [
        (a.path, ""),
        (a.path, "  broken "),
        (a.path, '{"n": 1}'),
        (b.path, "last"),
    ]


def test_files_of_one_schema_are_read_together(spark: SparkSession, tmp_path: Path) -> None:
    files = []
    for name, query in (("a", "1 AS n"), ("b", "'x' AS n"), ("c", "2 AS n")):
        spark.sql(f"SELECT {query}").coalesce(1).write.parquet(str(tmp_path / name))
        (part,) = (tmp_path / name).glob("part-*.parquet")
        files.append(LogFile(f"{name}/{part.name}", part.stat().st_size))
    grouped = raw_log.by_schema(spark, str(tmp_path), files)
    assert [own for _, own in grouped] == [[files[0], files[2]], [files[1]]]
    rows = raw_log.read_rows(spark, str(tmp_path), grouped[0][1]).collect()
    assert sorted((row["record"]["n"], row["source_file"][0]) for row in rows) == [(1, "a"), (2, "c")]


def test_times_in_nanoseconds_as_pandas_writes_them_are_numbers(spark: SparkSession, tmp_path: Path) -> None:
    at = pa.array([1769767200000000001], pa.timestamp("ns"))
    pq.write_table(pa.table({"at": at}), tmp_path / "a.parquet", version="2.6")
    (row,) = raw_log.read_rows(spark, str(tmp_path), [LogFile("a.parquet", 1)]).collect()
    assert row["record"]["at"] == 1769767200000000001


def test_files_of_one_first_line_are_read_together_whatever_the_order_of_columns_in_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    contents = {"a": "user,item\nann,a\n", "b": "item,user\r\n", "c": "user,item", "d": "", "e": "\n"}
    a, b, c, d, e = (write(tmp_path, f"{name}.csv", content) for name, content in contents.items())
    assert raw_log.by_header(spark, str(tmp_path), [a, b, c, d, e]) == [
        ("user,item", [a, c]),
        ("item,user", [b]),
        ("", [d, e]),
    ]


def test_a_file_whose_name_looks_like_a_pattern_is_read_alone(spark: SparkSession, tmp_path: Path) -> None:
    odd = write(tmp_path, "date=2026-01-31/[ab]{c,d}*?.json", "odd")
    write(tmp_path, "date=2026-01-31/acx.json", "matched by it")
    assert [row["payload"] for row in raw_log.read_lines(spark, str(tmp_path), [odd]).collect()] == ["odd"]


def unreadable(tmp_path: Path, name: str, content: bytes) -> LogFile:
    (tmp_path / name).write_bytes(content)
    return LogFile(name, len(content))


def test_a_file_that_cannot_be_read_is_named(spark: SparkSession, tmp_path: Path) -> None:
    whole = gzip.compress("\n".join(json.dumps({"n": n * 7919}) for n in range(20_000)).encode())
    pq.write_table(pa.table({"n": [1]}), tmp_path / "whole.parquet")
    parquet = (tmp_path / "whole.parquet").read_bytes()
    folder = str(tmp_path)
    reads: dict[LogFile, Callable[[list[LogFile]], object]] = {
        unreadable(tmp_path, "cut.json.gz", whole[: len(whole) // 2]): (
            lambda files: raw_log.read_lines(spark, folder, files).count()
        ),
        unreadable(tmp_path, "plain.json.gz", b"{}\n"): (
            lambda files: raw_log.by_header(spark, folder, files)
        ),
        unreadable(tmp_path, "cut.parquet", parquet[: len(parquet) // 2]): (
            lambda files: raw_log.by_schema(spark, folder, files)
        ),
        unreadable(tmp_path, "empty.parquet", b""): (lambda files: raw_log.by_schema(spark, folder, files)),
        unreadable(tmp_path, "damaged.parquet", parquet[:4] + bytes(20) + parquet[24:]): (
            lambda files: raw_log.read_rows(spark, folder, files).collect()
        ),
        LogFile("gone.json", 1): lambda files: raw_log.read_lines(spark, folder, files).count(),
    }
    for file, read in reads.items():
        with (
            pytest.raises(BadInput, match=rf"^source.events: file:\S+/{file.path} cannot be read: cut off"),
            raw_log.naming_the_file("source.events"),
        ):
            read([file])


def test_another_fault_is_no_matter_of_a_file(spark: SparkSession) -> None:
    with (
        pytest.raises(AnalysisException, match="UNRESOLVED_COLUMN"),
        raw_log.naming_the_file("source.events"),
    ):
        spark.range(1).select("nothing")
