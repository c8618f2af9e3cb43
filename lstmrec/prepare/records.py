"""From records of a raw log, in any of its formats, to the texts of the fields that the mapping names."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from lstmrec import columns as c
from lstmrec import paths
from lstmrec.mapping import SourceConfig
from lstmrec.paths import Step
from lstmrec.sections import IngestConfig

TEXT_FIELDS: Final = (c.EVENT_ID, c.DEVICE_ID, c.USER_ID, c.ITEM_ID, c.EVENT_TYPE, c.USER_AGENT)
TIME_FIELDS: Final = (c.CREATED_TS, c.SENT_TS, c.RECEIVED_TS)

MICROSECONDS: Final = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
"""How times are written into JSON: by default Spark leaves out what is below the millisecond."""

RECORD: Final = "record"

_BLANKS: Final = " \t\r\n\u00a0"
_END: Final = "_end"
_PARSED: Final = "_parsed"
_ELEMENT: Final = "_element"
_PLACE: Final = "_place"
_CORRUPT: Final = "_corrupt"


def from_json(lines: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """The mapped fields of each JSON object in `lines` (payload, source_file), as trimmed texts.

    One row per record, or per element of its `source.explode`; with payload, source_file and
    `reason`, null for a record that could be read, else the first that holds of: oversize_payload,
    not_utf8 (the payload is then in base64), malformed_json (also where a mapped field has another
    shape than its path). Of a payload over `max_kept_bytes` comes the start, with its size and hash.
    A blank text, or one of `source.null_texts`, is a null.
    """
    schema = _json_schema(source)
    rows = with_object(lines, schema, rules)
    return _fields(rows, F.col(RECORD).isNotNull(), "malformed_json", schema, source, rules)


def with_object(lines: DataFrame, kind: DataType, rules: IngestConfig) -> DataFrame:
    """The lines with the JSON object that each is, in `record`; null where it is none of this kind."""
    # The parser reads one value and leaves the rest of a line unread: a second object on it would be
    # lost unseen. Within another object the line must be one value, and what stands after it is missed.
    wrapped = F.concat(F.lit(f'{{"{RECORD}": '), _readable(rules), F.lit(f', "{_END}": 1}}'))
    wrapper = StructType([StructField(RECORD, kind), *csv_schema([_END, _CORRUPT])])
    parsed = F.from_json(wrapped, wrapper, {"columnNameOfCorruptRecord": _CORRUPT})
    is_whole = F.col(_PARSED)[_CORRUPT].isNull() & F.col(_PARSED)[_END].isNotNull()
    rows = lines.withColumn(_PARSED, parsed)
    return rows.withColumn(RECORD, F.when(is_whole, F.col(_PARSED)[RECORD])).drop(_PARSED)


def _readable(rules: IngestConfig) -> Column:
    """The payload, null where it is not to be parsed: see `unreadable`."""
    return F.when(unreadable(rules).isNull(), F.col(c.PAYLOAD))


def unreadable(rules: IngestConfig) -> Column:
    """Why a payload is not to be parsed: oversize_payload or not_utf8, else null."""
    is_oversize = F.octet_length(c.PAYLOAD) > rules.max_payload_bytes
    return F.when(is_oversize, "oversize_payload").when(~F.is_valid_utf8(c.PAYLOAD), "not_utf8")


def csv_columns(header: str, source: SourceConfig) -> list[str]:
    """The names in a file's first line, or those of `source.csv.columns` where files have no such line.

    A column without a name, or with that of one before it, is called by its place: _c0, _c1, ...
    """
    if source.csv.columns is not None:
        return list(source.csv.columns)
    names = next(csv.reader([header.removeprefix("\ufeff")], delimiter=source.csv.delimiter), [])
    names = [name.strip() for name in names or [""]]
    known = [name.lower() for name in names]  # Spark looks names up in any case
    return [
        name if name and known.index(name.lower()) == place else f"_c{place}"
        for place, name in enumerate(names)
    ]


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
    schema = csv_schema([*columns, _CORRUPT])
    options = {"sep": source.csv.delimiter, "columnNameOfCorruptRecord": _CORRUPT, "escape": '"'}
    ddl = ", ".join(f"`{name.replace('`', '``')}` string" for name in schema.names)
    record = F.from_csv(_readable(rules), ddl, options)
    is_row = (F.trim(c.PAYLOAD) != "") & F.col(f"{RECORD}.{_CORRUPT}").isNull()
    return _fields(rows.withColumn(RECORD, record), is_row, "malformed_csv", schema, source, rules)


def from_rows(rows: DataFrame, source: SourceConfig, rules: IngestConfig) -> DataFrame:
    """The same of structs in `record`, whose payload is the struct as JSON; none is malformed.

    A typed time comes as text, which is what a `source.time_format` of iso8601 stands for.
    """
    schema = rows.schema[RECORD].dataType
    assert isinstance(schema, StructType)
    with_payload = rows.withColumn(c.PAYLOAD, F.to_json(RECORD, MICROSECONDS))
    return _fields(with_payload, F.lit(True), "malformed_row", schema, source, rules)


def missing(schema: StructType, source: SourceConfig) -> dict[str, str]:
    """Our field -> the path of the mapping that leads nowhere in records of `schema`."""
    named = source.event_fields.named()
    return {ours: path for ours, path in named.items() if not _leads(schema, paths.parse(path), source)}


def _fields(
    records: DataFrame,
    is_record: Column,
    malformed: str,
    schema: StructType,
    source: SourceConfig,
    rules: IngestConfig,
) -> DataFrame:
    reason = F.coalesce(unreadable(rules), F.when(~F.coalesce(is_record, F.lit(False)), F.lit(malformed)))
    checked = records.select(c.SOURCE_FILE, RECORD, reason.alias(c.REASON), kept(rules).alias(c.PAYLOAD))
    exploded = _explode(checked, schema, source)
    named = source.event_fields.named()
    texts = {name: _field(schema, named.get(name), source) for name in (*TEXT_FIELDS, *TIME_FIELDS)}
    if source.only_event_type is not None:
        texts[c.EVENT_TYPE] = F.lit(source.only_event_type)
    if source.explode is not None:
        texts[c.EVENT_ID] = F.concat(texts[c.EVENT_ID], F.lit("/"), F.col(_PLACE).cast("string"))
    return exploded.select(
        c.PAYLOAD, c.SOURCE_FILE, c.REASON, *(text.alias(name) for name, text in texts.items())
    )


def kept(rules: IngestConfig) -> Column:
    """The payload as quarantine keeps it: whole, unless so large that it would cost the job its memory."""
    size, sha = F.octet_length(c.PAYLOAD), F.sha2(F.col(c.PAYLOAD), 256)
    start = F.left(F.col(c.PAYLOAD), F.lit(rules.max_kept_bytes))
    base64 = F.translate(F.base64(start.cast("binary")), "\r\n", "")
    text = F.when(F.is_valid_utf8(c.PAYLOAD), start).otherwise(base64)
    note = F.concat(F.lit(" [cut off: "), size.cast("string"), F.lit(" bytes, sha256 "), sha, F.lit("]"))
    return F.concat(text, F.when(size > rules.max_kept_bytes, note).otherwise(""))


def _explode(records: DataFrame, schema: StructType, source: SourceConfig) -> DataFrame:
    if source.explode is None:
        return records
    steps = _exploded(source)
    if not _leads(schema, steps, source):
        return records.withColumn(_PLACE, F.lit(None))
    elements = _walk(F.col(RECORD), steps)
    return records.select("*", F.posexplode_outer(elements).alias(_PLACE, _ELEMENT))


def _field(schema: StructType, path: str | None, source: SourceConfig) -> Column:
    """The text at the end of `path`, null where there is none."""
    steps = paths.parse(path) if path is not None else ()
    if not steps or not _leads(schema, steps, source):
        return F.lit(None).cast("string")
    text = F.trim(_value(steps, source).cast("string"), F.lit(_BLANKS))
    return F.when(~text.isin("", *source.null_texts), text)


def _value(steps: tuple[Step, ...], source: SourceConfig) -> Column:
    exploded = _exploded(source)
    if exploded and steps[: len(exploded)] == exploded:
        return _walk(F.col(_ELEMENT), steps[len(exploded) :])
    return _walk(F.col(RECORD), steps)


def _walk(record: Column, steps: Sequence[Step]) -> Column:
    for step in steps:
        record = record.getField(step.name)
        if step.where is not None:
            record = F.get(F.filter(record, _has(*step.where)), F.lit(0))
        elif step.place is not None:
            record = F.get(record, F.lit(step.place))
    return record


def _exploded(source: SourceConfig) -> tuple[Step, ...]:
    return paths.parse(source.explode) if source.explode is not None else ()


def _has(key: str, value: str) -> Callable[[Column], Column]:
    return lambda element: element.getField(key).cast("string") == value


def _leads(schema: DataType, steps: tuple[Step, ...], source: SourceConfig) -> bool:
    """Whether there is something at the end of `steps` in a record of `schema`."""
    exploded = _exploded(source)
    for depth, step in enumerate(steps, start=1):
        if not isinstance(schema, StructType) or step.name not in schema.fieldNames():
            return False
        schema = schema[step.name].dataType
        if step.into_array or steps[:depth] == exploded:
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
    exploded = _exploded(source)
    root = _Node()
    for path in (*filter(None, [source.explode]), *source.event_fields.named().values()):
        node, steps = root, paths.parse(path)
        for depth, step in enumerate(steps, start=1):
            node = node.fields.setdefault(step.name, _Node())
            node.is_array |= step.into_array or steps[:depth] == exploded
            if step.where is not None:
                node.fields.setdefault(step.where[0], _Node())
    return _struct(root.fields)
