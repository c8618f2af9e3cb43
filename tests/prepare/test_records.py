"""The mapped fields as texts, from records of each format; what cannot be read has its reason."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lstmrec import columns as c
from lstmrec.config import Config
from lstmrec.mapping import CsvConfig, SourceConfig
from lstmrec.prepare import records
from tests.prepare.factories import click, lines

SOUND = json.dumps(click())
ID = (c.EVENT_ID, c.REASON)


def mapping(config: Config, fields: Mapping[str, str | None], **changes: Any) -> SourceConfig:
    """The base mapping, with other paths for `fields`, and other `changes`."""
    own = config.source.event_fields.model_copy(update=dict(fields))
    return config.source.model_copy(update={"event_fields": own, **changes})


def of_csv(config: Config, delimiter: str = ",", columns: tuple[str, ...] | None = None) -> SourceConfig:
    csv = CsvConfig(delimiter=delimiter, columns=columns)
    return mapping(config, {c.ITEM_ID: "item", c.USER_ID: "user"}, csv=csv)


def got(rows: DataFrame, *names: str) -> list[Any]:
    """Values of the columns `names`, in the order of the rows; of one column without tuples."""
    values = [tuple(row[name] for name in names) for row in rows.collect()]
    return values if len(names) > 1 else [value for (value,) in values]


def test_a_line_is_one_whole_json_object_or_malformed(spark: SparkSession, config: Config) -> None:
    malformed = (
        *("", " ", "junk", '"text"', "[]", "null", "7", SOUND[:-1], SOUND[:40], f"[{SOUND}]"),
        *(f"{SOUND} junk", f"{SOUND}{SOUND}", f"{SOUND}, {SOUND}", f"{SOUND}}}", f"{SOUND}}} {SOUND}"),
    )
    sound = (SOUND, f"\t{SOUND} ", SOUND.replace('"', "'"), SOUND[:-1] + ', "price": NaN}')
    rows = records.from_json(lines(spark, *malformed, *sound), config.source, config.ingest)
    assert got(rows, c.REASON) == ["malformed_json"] * len(malformed) + [None] * len(sound)
    assert got(rows, c.EVENT_ID)[-len(sound) :] == ["e1"] * len(sound)
    assert got(rows, c.PAYLOAD) == [*malformed, *sound]


def test_a_value_that_is_no_text_comes_as_its_json_text(spark: SparkSession, config: Config) -> None:
    values = [7, 2**63, 1.5, True, {"a": [1]}, [1, "x"], "7", None]
    rows = records.from_json(
        lines(spark, *(click(item_id=value) for value in values)), config.source, config.ingest
    )
    texts = ["7", "9223372036854775808", "1.5", "true", '{"a":[1]}', '[1,"x"]', "7", None]
    assert got(rows, c.ITEM_ID, c.REASON) == [(text, None) for text in texts]


def test_blanks_around_a_text_are_no_part_of_it_and_what_says_none_is_a_null(
    spark: SparkSession, config: Config
) -> None:
    source = config.source.model_copy(update={"null_texts": ("null", "-")})
    texts = [" a\t", "\r\nb c\u00a0", "", " \t", "null", " - ", "NULL", "0", "a-"]
    rows = records.from_json(lines(spark, *(click(item_id=text) for text in texts)), source, config.ingest)
    assert got(rows, c.ITEM_ID) == ["a", "b c", None, None, None, None, "NULL", "0", "a-"]


def test_a_path_leads_into_objects_and_arrays_or_to_nothing(spark: SparkSession, config: Config) -> None:
    paths = {
        c.USER_ID: "`user.ids`[0].id",
        c.DEVICE_ID: "props[key=device].value.text",
        c.ITEM_ID: "page.item",
        c.EVENT_TYPE: "tags[1]",
    }
    log: list[dict[str, Any]] = [
        {
            "user.ids": [{"id": 1}, {"id": 2}],
            "props": [{"key": "x", "value": {"text": "no"}}, {"key": "device", "value": {"text": "d"}}],
            "page": {"item": "a", "title": "not mapped"},
            "tags": ["first", "view"],
        },
        {"user.ids": [], "props": [{"key": "device"}, {}], "page": {}, "tags": ["first"]},
        {"user.ids": None, "props": [None], "page": None},
    ]
    rows = records.from_json(lines(spark, *log), mapping(config, paths), config.ingest)
    assert got(rows, *paths, c.REASON) == [("1", "d", "a", "view", None), (None,) * 5, (None,) * 5]


def test_a_mapped_field_of_another_shape_than_its_path_makes_the_line_malformed(
    spark: SparkSession, config: Config
) -> None:
    source = mapping(config, {c.ITEM_ID: "items[0].sku", c.USER_ID: "user.id"})
    shapes: list[dict[str, Any]] = [
        {"items": {"sku": "a"}},
        {"items": "a"},
        {"items": ["a"]},
        {"items": [], "user": "ann"},
        {"items": [], "user": [{"id": "ann"}]},
        {"items": [{"sku": "a"}], "user": {"id": "ann"}, "other": {"items": "a"}},
    ]
    rows = records.from_json(lines(spark, *shapes), source, config.ingest)
    assert got(rows, c.REASON) == ["malformed_json"] * 5 + [None]


def test_each_element_of_an_exploded_array_is_a_record_with_its_place_in_the_id(
    spark: SparkSession, config: Config
) -> None:
    source = mapping(config, {c.ITEM_ID: "order.lines.sku", c.USER_ID: "order.user"}, explode="order.lines")
    log = [
        click(event_id="1", order={"user": "ann", "lines": [{"sku": "a"}, {"sku": None}, {"sku": "a"}]}),
        click(event_id="2", order={"user": "bob", "lines": []}),
        click(event_id="3", order={"user": "cid"}),
        click(event_id=None, order={"lines": [{"sku": "b"}]}),
    ]
    rows = records.from_json(lines(spark, *log, "junk"), source, config.ingest)
    assert got(rows, c.EVENT_ID, c.USER_ID, c.ITEM_ID, c.REASON) == [
        ("1/0", "ann", "a", None),
        ("1/1", "ann", None, None),
        ("1/2", "ann", "a", None),
        (None, "bob", None, None),
        (None, "cid", None, None),
        (None, None, "b", None),
        (None, None, None, "malformed_json"),
    ]
    assert got(rows, c.PAYLOAD) == [json.dumps(log[0])] * 3 + [json.dumps(line) for line in log[1:]] + [
        "junk"
    ]


def test_an_exploded_array_of_texts_is_mapped_by_its_own_path(spark: SparkSession, config: Config) -> None:
    source = mapping(config, {c.ITEM_ID: "seen"}, explode="seen")
    rows = records.from_json(lines(spark, click(seen=["a", "b"])), source, config.ingest)
    assert got(rows, c.EVENT_ID, c.ITEM_ID) == [("e1/0", "a"), ("e1/1", "b")]


def test_an_unreadable_payload_is_kept_so_that_it_can_be_read_again(
    spark: SparkSession, config: Config
) -> None:
    rules = config.ingest.model_copy(update={"max_payload_bytes": 100, "max_kept_bytes": 200})
    latin1 = '{"event_id": "é"}'.encode("latin-1")
    payloads = [latin1, b"x" * 101, b"x" * 200, b"x" * 201, b"\xff" * 201, "é".encode() * 50]
    given = spark.createDataFrame([(bytearray(payload),) for payload in payloads], f"{c.PAYLOAD} binary")
    as_text = given.select(F.col(c.PAYLOAD).cast("string").alias(c.PAYLOAD), F.lit("f").alias(c.SOURCE_FILE))
    cut_off = [f" [cut off: 201 bytes, sha256 {hashlib.sha256(payloads[n]).hexdigest()}]" for n in (3, 4)]
    assert got(records.from_json(as_text, config.source, rules), c.REASON, c.PAYLOAD) == [
        ("not_utf8", base64.b64encode(latin1).decode()),
        ("oversize_payload", "x" * 101),
        ("oversize_payload", "x" * 200),
        ("oversize_payload", "x" * 200 + cut_off[0]),
        ("oversize_payload", base64.b64encode(b"\xff" * 200).decode() + cut_off[1]),
        ("malformed_json", "é" * 50),  # 100 bytes
    ]


def test_the_first_line_of_a_csv_names_its_columns(config: Config) -> None:
    source = of_csv(config)
    assert records.csv_columns('\ufeffuser, item ,"a,b",c.d', source) == ["user", "item", "a,b", "c.d"]
    assert records.csv_columns(",user,User,,user", source) == ["_c0", "user", "_c2", "_c3", "_c4"]
    assert records.csv_columns("", source) == ["_c0"]
    assert records.csv_columns("user\titem\t", of_csv(config, "\t")) == ["user", "item", "_c2"]
    assert records.csv_columns("ann,a", of_csv(config, columns=("user", "item"))) == ["user", "item"]


def test_a_row_of_csv_has_a_field_for_each_column_or_is_malformed(
    spark: SparkSession, config: Config
) -> None:
    source, header = of_csv(config), "user,item,we`ird,"
    sound = ["ann,a,,", ' bob ,"a,1",x,y', '"say ""hi""",a,,', "null,,,"]
    malformed = ["ann,a,", "ann,a,,,", "", " ", '"ann,a,,']
    columns = records.csv_columns(header, source)
    rows = records.from_csv(
        lines(spark, header, *sound, *malformed, header), header, columns, source, config.ingest
    )
    assert got(rows, c.USER_ID, c.ITEM_ID, c.REASON)[:4] == [
        ("ann", "a", None),
        ("bob", "a,1", None),
        ('say "hi"', "a", None),
        (None, None, None),
    ]
    assert got(rows, c.REASON)[4:] == ["malformed_csv"] * 5
    assert got(rows, c.PAYLOAD) == [*sound, *malformed]


def test_columns_named_in_the_mapping_make_the_first_line_a_row(spark: SparkSession, config: Config) -> None:
    source = of_csv(config, ";", ("user", "item"))
    rows = records.from_csv(lines(spark, "ann;a", "ann;a"), "ann;a", ["user", "item"], source, config.ingest)
    assert got(rows, c.USER_ID, c.ITEM_ID) == [("ann", "a"), ("ann", "a")]


def test_typed_rows_become_texts_and_a_payload_that_keeps_the_microsecond(
    spark: SparkSession, config: Config
) -> None:
    source = mapping(config, {c.ITEM_ID: "item.id", c.EVENT_TYPE: "tags[0]"})
    rows = spark.sql(
        """
        SELECT named_struct(
            'event_id', 7L, 'item', named_struct('id', 1), 'tags', array('view'),
            'user_id', CAST(NULL AS INT),
            'created_ts', TIMESTAMP'2026-01-30 10:00:00.000001Z',
            'sent_ts', TIMESTAMP_NTZ'2026-01-30 10:00:00',
            'received_ts', DATE'2026-01-30'
        ) AS record, 'f' AS source_file
        """
    )
    (row,) = records.from_rows(rows, source, config.ingest).collect()
    assert (row[c.EVENT_ID], row[c.ITEM_ID], row[c.EVENT_TYPE], row[c.USER_ID]) == ("7", "1", "view", None)
    assert (row[c.CREATED_TS], row[c.SENT_TS]) == ("2026-01-30 10:00:00.000001", "2026-01-30 10:00:00")
    assert (row[c.RECEIVED_TS], row[c.REASON]) == ("2026-01-30", None)
    assert json.loads(row[c.PAYLOAD]) == {
        "event_id": 7,
        "item": {"id": 1},
        "tags": ["view"],
        "created_ts": "2026-01-30T10:00:00.000001Z",
        "sent_ts": "2026-01-30T10:00:00.000000",
        "received_ts": "2026-01-30",
    }


def test_rows_without_the_exploded_array_have_no_element(spark: SparkSession, config: Config) -> None:
    source = mapping(config, {c.ITEM_ID: "items.id"}, explode="items")
    rows = spark.sql("SELECT named_struct('event_id', '1', 'user_id', 'ann') AS record, 'f' AS source_file")
    assert got(records.from_rows(rows, source, config.ingest), c.EVENT_ID, c.USER_ID, c.ITEM_ID) == [
        (None, "ann", None)
    ]


def test_a_path_that_leads_nowhere_in_a_schema_is_missing(spark: SparkSession, config: Config) -> None:
    schema = spark.sql("SELECT array(named_struct('id', 1)) AS items, named_struct('id', 1) AS user").schema
    fields: dict[str, str | None] = dict.fromkeys(config.source.event_fields.named())
    nowhere = {c.EVENT_ID: "id", c.SENT_TS: "user.sent", c.USER_AGENT: "user[0].id"}
    leading = {c.USER_ID: "user.id", c.DEVICE_ID: "user", c.EVENT_TYPE: "items[0].id"}
    source = mapping(config, {**fields, **nowhere, **leading, c.ITEM_ID: "items.id"})
    assert records.missing(schema, source) == nowhere | {c.ITEM_ID: "items.id"}
    assert records.missing(schema, source.model_copy(update={"explode": "items"})) == nowhere
