"""Small files of `items` as Parquet, as the lake writes them."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("attributes", pa.map_(pa.string(), pa.string())),
        ("valid_from", pa.date32()),
        ("title", pa.string()),
        ("categories", pa.list_(pa.string())),
        ("valid_to", pa.date32()),
    ]
)
BEGAN = date(2026, 1, 1)


def item(
    name: str, *categories: str, since: date = BEGAN, until: date | None = None, **attributes: str
) -> dict[str, Any]:
    return {
        "item_id": name,
        "attributes": list(attributes.items()),
        "valid_from": since,
        "title": None,
        "categories": list(categories) or None,
        "valid_to": until,
    }


def write_items(folder: Path, *rows: dict[str, Any]) -> tuple[str, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "part-00000-1d0e.c000.snappy.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), SCHEMA), path)
    return (path.as_uri(),)
