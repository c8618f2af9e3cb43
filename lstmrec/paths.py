"""Where a field is within a record: `user.id`, `items[0].sku`, `params[key=page].value.string_value`."""

import re
from dataclasses import dataclass
from typing import Final

_STEP: Final = re.compile(
    r"(?:`(?P<quoted>[^`]+)`|(?P<name>[^.\[\]`]+))"
    r"(?:\[(?:(?P<place>\d+)|(?P<key>[^=\[\]]+)=(?P<value>[^\[\]]*))\])?"
    r"(?P<more>\.)?"
)


@dataclass(frozen=True)
class Step:
    """One step into a record: a field, and of an array in it one element, by place or by a key's value."""

    name: str
    place: int | None = None
    where: tuple[str, str] | None = None

    @property
    def into_array(self) -> bool:
        return self.place is not None or self.where is not None


def parse(text: str) -> tuple[Step, ...]:
    """The steps of the path `text`; a name with a dot in it stands in backticks.

    Raises
    ------
    ValueError
        Where `text` is no path.
    """
    steps: list[Step] = []
    end, more = 0, True
    while more:
        found = _STEP.match(text, end)
        if found is None:
            raise ValueError(f"{text!r} is no path to a field; write it like user.id or items[0].sku")
        key = found["key"]
        steps.append(
            Step(
                name=found["quoted"] or found["name"],
                place=int(found["place"]) if found["place"] else None,
                where=(key, found["value"]) if key else None,
            )
        )
        end, more = found.end(), found["more"] is not None
    if end != len(text):
        raise ValueError(f"{text!r} is no path to a field; write it like user.id or items[0].sku")
    return tuple(steps)
