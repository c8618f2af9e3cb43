import pytest

from lstmrec import paths
from lstmrec.paths import Step


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("sku", [Step("sku")]),
        ("user id", [Step("user id")]),
        ("user.id", [Step("user"), Step("id")]),
        ("items[0].sku", [Step("items", place=0), Step("sku")]),
        ("tags[12]", [Step("tags", place=12)]),
        (
            "params[key=page_id].value.string",
            [Step("params", where=("key", "page_id")), Step("value"), Step("string")],
        ),
        ("params[key=].value", [Step("params", where=("key", "")), Step("value")]),
        ("`user.id`.`a[0]`", [Step("user.id"), Step("a[0]")]),
        ("`user.ids`[1].id", [Step("user.ids", place=1), Step("id")]),
    ],
)
def test_a_path_is_read_step_by_step(text: str, steps: list[Step]) -> None:
    assert paths.parse(text) == tuple(steps)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[0", "a[-1]", "a[0][1]", "a]b", "`a", "``", "a`b"],
)
def test_what_is_no_path_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no path to a field; write it like user\.id or items\[0\]\.sku"):
        paths.parse(text)


def test_only_a_step_with_a_place_or_a_key_goes_into_an_array() -> None:
    assert [step.into_array for step in paths.parse("a.b[0].c[k=v].d")] == [False, True, True, False]
