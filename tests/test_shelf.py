"""The shelf: what may be offered on a day, from the catalogue, the rules of items and those of segments."""

from datetime import date

import pytest
from pyspark.sql import SparkSession

from lstmrec import shelf
from lstmrec.config import Config
from lstmrec.errors import BadInput
from lstmrec.sections import ListRules
from lstmrec.shelf import EVERYBODY, Shelf

TODAY = date(2026, 1, 31)
ITEMS = [
    ("a", ["Crime", "Action"], date(2026, 1, 1)),
    ("b", ["Action"], date(2026, 1, 30)),
    ("d", [], date(2026, 1, 1)),
    ("e", ["Crime"], date(2026, 1, 1)),
    ("f", None, date(2026, 1, 1)),
]
"""c is in no catalogue any more; the index is a 1, b 2, ... f 6."""
ITEM_RULES = [("d", "promoted"), ("e", "promoted"), ("e", "hidden"), ("f", "unavailable"), ("b", "promoted")]
POPULARITY = [
    *((None, item, score) for item, score in (("a", 5.0), ("d", 7.0), ("b", 5.0), ("e", 9.0), ("zzz", 99.0))),
    *(("kids", item, score) for item, score in (("b", 1.0), ("d", 3.0))),
]


def rules(config: Config, **changes: object) -> ListRules:
    return config.scoring.rules.model_copy(update=changes)


Catalogue = list[tuple[str, list[str] | None, date]]


def build(spark: SparkSession, rules: ListRules, items: Catalogue | None = ITEMS) -> Shelf:
    index = [(item, place) for place, item in enumerate("abcdef", start=1)]
    schema = "item_id string, categories array<string>, since date"
    return shelf.build(
        spark.createDataFrame(index, "item_id string, item_index int"),
        None if items is None else spark.createDataFrame(items, schema),
        spark.createDataFrame(ITEM_RULES, "item_id string, rule string"),
        spark.createDataFrame(POPULARITY, "segment string, item_id string, score double"),
        rules,
        TODAY,
    )


def ids(shelf: Shelf, flags: object) -> str:
    return "".join(shelf.item_ids[flags])


def test_what_can_be_had_today_and_is_not_hidden_is_allowed(spark: SparkSession, config: Config) -> None:
    made = build(spark, rules(config))
    assert list(made.item_ids) == ["", *"abcdef"]
    assert ids(made, made.allowed) == "abd"
    assert ids(made, made.promoted) == "bd"  # hidden wins over promoted
    assert made.categories.shape == (7, 1)  # no rule asks for them


def test_a_shop_without_a_catalogue_offers_all_that_it_has_seen(spark: SparkSession, config: Config) -> None:
    made = build(spark, rules(config), items=None)
    assert ids(made, made.allowed) == "abcd"


def test_an_empty_catalogue_offers_nothing(spark: SparkSession, config: Config) -> None:
    made = build(spark, rules(config), items=[])
    assert ids(made, made.allowed) == ""
    assert made.popular_with(EVERYBODY).items.size == 0


def test_an_item_is_offered_once_it_has_been_in_stock_for_so_many_days(
    spark: SparkSession, config: Config
) -> None:
    made = {days: build(spark, rules(config, min_stock_days=days)) for days in (1, 2)}
    assert {days: ids(shelf, shelf.allowed) for days, shelf in made.items()} == {1: "abd", 2: "ad"}


def test_popular_items_are_allowed_ones_by_score_then_index(spark: SparkSession, config: Config) -> None:
    made = build(spark, rules(config))
    assert ids(made, made.popular[EVERYBODY].items) == "dab"
    both = made.popular_with("kids")
    assert ids(made, both.items) == "dbdab"
    assert both.is_of_segment.tolist() == [True, True, False, False, False]
    assert ids(made, made.popular_with("unknown").items) == "dab"


def test_a_segment_with_categories_of_its_own_is_offered_those_alone(
    spark: SparkSession, config: Config
) -> None:
    own = rules(config, segment_attribute="age", segment_categories={"kids": ("Action",)})
    made = build(spark, own)
    assert made.categories.tolist() == [[0, 0], [1, 2], [1, 0], [0, 0], [0, 0], [2, 0], [0, 0]]
    assert ids(made, made.allowed_to("kids")) == "ab"
    assert ids(made, made.allowed_to("others")) == "abd"
    assert ids(made, made.popular_with("kids").items) == "bab"  # the segment's b, then a and b of all


def test_a_category_that_no_item_has_is_named_with_those_that_there_are(
    spark: SparkSession, config: Config
) -> None:
    own = rules(config, segment_attribute="age", segment_categories={"kids": ("Cartoon",)})
    with pytest.raises(BadInput, match=r"categories: kids: no item is of category 'Cartoon'; .*Crime"):
        build(spark, own)


def test_an_index_without_items_makes_an_empty_shelf(spark: SparkSession, config: Config) -> None:
    nothing = spark.createDataFrame([], "item_id string, item_index int")
    popularity = spark.createDataFrame([], "segment string, item_id string, score double")
    none = spark.createDataFrame([], "item_id string, rule string")
    made = shelf.build(nothing, None, none, popularity, rules(config), TODAY)
    assert (len(made.item_ids), made.allowed.any(), len(made.popular[EVERYBODY].items)) == (1, False, 0)
