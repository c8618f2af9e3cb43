"""From records of a raw log, in any of its formats, to the texts of the fields that the mapping names."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from lstmrec import columns as c
from lstmrec import paths
from lstmrec.paths import Step
from lstmrec.sections import IngestConfig, SourceConfig

TEXT_FIELDS: Final = (c.EVENT_ID, c.DEVICE_ID, c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.USER_AGENT)
TIME_FIELDS: Final = (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)

_RECORD: Final = "record"
_ELEMENT: Final = "_element"
_PLACE: Final = "_place"
_CORRUPT: Final = "_corrupt"


def from_json(lines: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """The mapped fields of each JSON object in `lines` (payload, source_file), as trimmed texts.

    One row per record, or per element of its `source.explode`; with payload, source_file and
    `reason`, null for a record that could be read, else the first that holds of: oversize_payload,
    not_utf8 (the payload is then in base64), malformed_json. Of a payload over `max_kept_bytes` comes
    the start, with its size and hash. A text of `source.null_texts` is a null.
    """
    schema = _json_schema(source)
    record = F.from_json(_readable(rules), schema, {"columnNameOfCorruptRecord": _CORRUPT})
    is_object = (
        F.trim(c.PAYLOAD).startswith("{")
        & F.col(_RECORD).isNotNull()
        & F.col(f"{_RECORD}.{_CORRUPT}").isNull()
    )
    return _fields(lines.withColumn(_RECORD, record), is_object, "malformed_json", schema, source, rules)


def csv_columns(header: str, source: SourceConfig) -> list[str]:
    """The names in a file's first line, or those of `source.csv.columns` where files have no such line."""
    if source.csv.columns is not None:
        return list(source.csv.columns)
    return next(csv.reader([header.removeprefix("\ufeff").strip()], delimiter=source.csv.delimiter), [])


def csv_schema(columns: Sequence[str]) -> StructType:
    """A row of CSV with `columns`, all of them texts."""
    return StructType([StructField(name, StringType()) for name in columns])


def from_csv(
    lines: DataFrame, header: str, columns: Sequence[str], source: SourceConfig, rules: IngestConfig
) -> DataFrame:
    """The same of rows of CSV with `columns`; a line like `header` is no row, where files have one.

    A row with fewer or more fields, or none at all, is malformed_csv. A quoted field ends in its line.
    """
    rows = lines if source.csv.columns is not None else lines.where(F.col(c.PAYLOAD) != header)
    schema = StructType([*csv_schema(columns), StructField(_CORRUPT, StringType())])
    options = {"sep": source.csv.delimiter, "columnNameOfCorruptRecord": _CORRUPT, "escape": '"'}
    record = F.from_csv(_readable(rules), ", ".join(f"`{n}` string" for n in schema.names), options)
    is_row = (F.trim(c.PAYLOAD) != "") & F.col(f"{_RECORD}.{_CORRUPT}").isNull()
    return _fields(rows.withColumn(_RECORD, record), is_row, "malformed_csv", schema, source, rules)


def from_rows(rows: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """The same of structs in `record`, whose payload is the struct as JSON; none is malformed."""
    schema = rows.schema[_RECORD].dataType
    assert isinstance(schema, StructType)
    with_payload = rows.withColumn(c.PAYLOAD, F.to_json(_RECORD))
    return _fields(with_payload, F.lit(True), "malformed_row", schema, source, rules)


def missing(schema: StructType, source: SourceConfig) -> dict[str, str]:
    """Our field -> the path of the mapping that leads nowhere in records of `schema`."""
    named = {ours: paths.parse(path) for ours, path in source.event_fields.named().items()}
    return {
        ours: source.event_fields.named()[ours] for ours, steps in named.items() if not _leads(schema, steps)
    }


def _fields(
    records: DataFrame,
    is_record: Column,
    malformed: str,
    schema: StructType,
    source: SourceConfig,
    rules: IngestConfig,
) -> DataFrame:
    reason = (
        F.when(_is_oversize(rules), "oversize_payload")
        .when(~F.is_valid_utf8(c.PAYLOAD), "not_utf8")
        .when(~F.coalesce(is_record, F.lit(False)), malformed)
    )
    checked = records.select(c.SOURCE_FILE, _RECORD, reason.alias(c.REASON), _kept(rules).alias(c.PAYLOAD))
    exploded = _explode(checked, source)
    named = {ours: paths.parse(path) for ours, path in source.event_fields.named().items()}
    texts = {
        name: _text(_value(named[name], source), source) if name in named and _leads(schema, named[name])
        else F.lit(None).cast("string")
        for name in (*TEXT_FIELDS, *TIME_FIELDS)
    }  # fmt: skip
    if source.only_event_type is not None:
        texts[c.EVENT_TYPE] = F.lit(source.only_event_type)
    if source.explode is not None:
        texts[c.EVENT_ID] = F.concat(texts[c.EVENT_ID], F.lit("/"), F.col(_PLACE).cast("string"))
    return exploded.select(
        c.PAYLOAD, c.SOURCE_FILE, c.REASON, *(text.alias(name) for name, text in texts.items())
    )


def _readable(rules: IngestConfig) -> Column:
    return F.when(~_is_oversize(rules) & F.is_valid_utf8(c.PAYLOAD), F.col(c.PAYLOAD))


def _kept(rules: IngestConfig) -> Column:
    """The payload as quarantine keeps it: whole, unless so large that it would cost the job its memory."""
    size, sha = F.octet_length(c.PAYLOAD).cast("string"), F.sha2(F.col(c.PAYLOAD), 256)
    start = F.left(F.col(c.PAYLOAD), F.lit(rules.max_kept_bytes))
    cut_off = F.concat(start, F.lit(" [cut off: "), size, F.lit(" bytes, sha256 "), sha, F.lit("]"))
    return (
        F.when(~F.is_valid_utf8(c.PAYLOAD), F.base64(F.col(c.PAYLOAD).cast("binary")))
        .when(F.octet_length(c.PAYLOAD) > rules.max_kept_bytes, cut_off)
        .otherwise(F.col(c.PAYLOAD))
    )


def _is_oversize(rules: IngestConfig) -> Column:
    return F.octet_length(c.PAYLOAD) > rules.max_payload_bytes


def _explode(records: DataFrame, source: SourceConfig) -> DataFrame:
    if source.explode is None:
        return records
    elements = _walk(F.col(_RECORD), paths.parse(source.explode))
    return records.select("*", F.posexplode_outer(elements).alias(_PLACE, _ELEMENT))


def _value(steps: tuple[Step, ...], source: SourceConfig) -> Column:
    exploded = paths.parse(source.explode) if source.explode is not None else ()
    if exploded and steps[: len(exploded)] == exploded:
        return _walk(F.col(_ELEMENT), steps[len(exploded) :])
    return _walk(F.col(_RECORD), steps)


def _walk(record: Column, steps: Sequence[Step]) -> Column:
    for step in steps:
        record = record.getField(step.name)
        if step.where is not None:
            record = F.get(F.filter(record, _has(*step.where)), F.lit(0))
        elif step.place is not None:
            record = F.get(record, F.lit(step.place))
    return record


def _has(key: str, value: str):  # type: ignore[no-untyped-def]
    return lambda element: element.getField(key).cast("string") == value


def _text(value: Column, source: SourceConfig) -> Column:
    trimmed = F.trim(value.cast("string"))
    return F.when(~trimmed.isin("", *source.null_texts), trimmed)


def _leads(schema: DataType, steps: Sequence[Step]) -> bool:
    for step in steps:
        if isinstance(schema, ArrayType):  # the array that source.explode names
            schema = schema.elementType
        if not isinstance(schema, StructType) or step.name not in schema.fieldNames():
            return False
        schema = schema[step.name].dataType
        if step.into_array:
            if not isinstance(schema, ArrayType):
                return False
            schema = schema.elementType
    return True


@dataclass
class _Node:
    """A field of the JSON that the mapping needs: an object with fields, a text, or an array of either."""

    is_array: bool = False
    fields: dict[str, "_Node"] = field(default_factory=dict)

    def kind(self) -> DataType:
        one: DataType = _struct(self.fields) if self.fields else StringType()
        return ArrayType(one) if self.is_array else one


def _struct(fields: Mapping[str, _Node]) -> StructType:
    return StructType([StructField(name, node.kind()) for name, node in fields.items()])


def _json_schema(source: SourceConfig) -> StructType:
    exploded = paths.parse(source.explode) if source.explode is not None else ()
    root = _Node()
    for path in (*filter(None, [source.explode]), *source.event_fields.named().values()):
        node, steps = root, paths.parse(path)
        for depth, step in enumerate(steps, start=1):
            node = node.fields.setdefault(step.name, _Node())
            node.is_array |= step.into_array or steps[:depth] == exploded
            if step.where is not None:
                node.fields.setdefault(step.where[0], _Node())
    return StructType([*_struct(root.fields), StructField(_CORRUPT, StringType())])
