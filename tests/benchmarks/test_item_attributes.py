import re
from pathlib import Path

import pytest

from lstmrec import training
from lstmrec.config import Config
from lstmrec.errors import BadInput
from lstmrec.lake.store import Lake
from lstmrec.learn import item_attributes as learnt
from lstmrec.learn.export import read_item_ids
from tests.benchmarks import experiment, item_attributes, item_sequences

DAY = item_sequences.FIRST.date()


def with_attributes(config: Config) -> Config:
    return config.model_copy(update={"model": config.model.model_copy(update={"use_item_attributes": True})})


@pytest.fixture
def filled(spark: object, lake: Lake, config: Config, tmp_path: Path) -> Lake:
    """A lake of two users' items a to d."""
    file = tmp_path / "items.txt"
    file.write_text("9 b a c d\n7 a b\n")
    rows = item_sequences.sessions(spark, item_sequences.read(file))  # type: ignore[arg-type]
    item_sequences.write(lake, rows, config)
    return lake


def test_the_attributes_of_a_file_come_to_the_model_by_the_catalogue(
    filled: Lake, config: Config, tmp_path: Path
) -> None:
    file = tmp_path / "attributes.json"
    file.write_text('{"a": [7, "x"], "c": [7, 7], "d": [], "nobody had it": [1, 2]}')
    told = item_attributes.write(filled, item_attributes.read(file), DAY)
    assert told == {"items_with": 2, "items_without": 2, "unknown_items": 1, "attributes": 2}

    order = training.order(filled, with_attributes(config), experiment.RUN_DATE)
    ids = read_item_ids(order.item_index, order.n_items)
    got = learnt.read(order.items, order.record.run_date, order.model.item_attributes, ids)
    assert got.names == ("", "categories=7", "categories=x")
    assert got.of_items.tolist() == [[0, 0], [1, 2], [0, 0], [1, 0], [0, 0]]  # PAD, a, b, c, d


def test_the_model_is_another_one_with_attributes_and_with_others(filled: Lake, config: Config) -> None:
    def ordered(settings: Config, **attributes: list[str]) -> tuple[str, dict[str, int]]:
        item_attributes.write(filled, attributes, DAY)
        seen = Lake(filled.spark, filled.root, {})
        record = training.order(seen, settings, experiment.RUN_DATE).record
        return record.model_version, record.table_versions

    told = with_attributes(config)
    orders = [
        ordered(settings, **attributes)
        for settings, attributes in (
            (config, {"a": ["x"]}), (config, {"a": ["y"]}), (told, {"a": ["x"]}), (told, {"a": ["y"]}),
            (told, {"a": ["y"], "nobody had it": ["z"]}),
        )
    ]  # fmt: skip
    versions = [version for version, _ in orders]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3
    assert versions[3] == versions[4]  # of an item that the model does not know
    assert ["items" in tables for _, tables in orders] == [False, False, True, True, True]


def test_attributes_without_a_catalogue_are_an_error_that_says_so(filled: Lake, config: Config) -> None:
    with pytest.raises(BadInput, match=r"^items: no table at .*run the job that writes it"):
        training.order(filled, with_attributes(config), experiment.RUN_DATE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON (Expecting property name"),
        ("[1]", "must be one object: item id -> list of attribute ids"),
        ('{"a": [1], "b": 2}', "item 'b': must have a list of attribute ids, not 2"),
        ('{"a": [[1]]}', "item 'a': must have a list of attribute ids, not [[1]]"),
        ('{"a": [true]}', "item 'a': must have a list of attribute ids, not [True]"),
        ('{"a": [1], "a": [2]}', "item 'a' comes twice"),
    ],
)
def test_a_bad_file_is_told_with_its_item(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "attributes.json"
    file.write_text(content)
    with pytest.raises(SystemExit, match="^" + re.escape(f"{file}: {message}")):
        item_attributes.read(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere.json: cannot be read \(No such file"):
        item_attributes.read(tmp_path / "nowhere.json")
