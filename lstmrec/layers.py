"""The layers of a configuration (base.yaml, another file, the environment), and who set a wrong key."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import ErrorDetails

from lstmrec.errors import BadConfig

BASE = "base.yaml"
ENV_PREFIX = "LSTMREC_"
ENV_DELIMITER = "__"


def variables() -> list[str]:
    """Names of the environment's variables that set a key."""
    return sorted(name for name in os.environ if name.upper().startswith(ENV_PREFIX))


def require_known_variables(sections: Collection[str]) -> None:
    """Stop at a variable of an unknown section: the settings would pass over it in silence."""
    for name in variables():
        section, delimiter, key = name.removeprefix(ENV_PREFIX).lower().partition(ENV_DELIMITER)
        if delimiter and section not in sections:
            raise BadConfig(f"{name}: {section}.{key}: unknown key, got {os.environ[name]!r}")


def read(file: Path) -> dict[str, Any]:
    """The sections in one YAML file."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(
            f"{file}: cannot be read ({error.strerror}); give --conf a file beside {BASE}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise BadConfig(f"{file}: must be a mapping of sections, not a {type(content).__name__}")
    for key in content:
        if not isinstance(key, str):
            raise BadConfig(f"{file}: must be a mapping of sections, but has the key {key!r}")
    return content


def merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, mapping by mapping; a list replaces a list."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def explain(error: ErrorDetails, layers: dict[str, dict[str, Any]]) -> str:
    """One line for one wrong key: who set it, its name, the reason."""
    key = [str(part) for part in error["loc"]]
    reason = (
        "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    )
    got = f", got {error['input']!r}" if isinstance(error["input"], str | int | float | bool) else ""
    broken_rule = error["type"] == "value_error"  # over several keys, which a variable below may have set
    below = _variables_below(key) if broken_rule else []
    origin = ", ".join([_origin(key, layers), *below])
    return ": ".join([origin, *filter(None, [".".join(key)]), reason]) + got


def _variables_below(key: list[str]) -> list[str]:
    prefix = ENV_PREFIX + "".join(f"{part.upper()}{ENV_DELIMITER}" for part in key)
    return [n for n in variables() if n.upper().startswith(prefix) and ENV_DELIMITER in n]


def _origin(key: list[str], layers: dict[str, dict[str, Any]]) -> str:
    """Who set `key` last: an environment variable, or the topmost file that has the most of its path."""
    for depth in range(len(key), 0, -1):
        variable = ENV_PREFIX + ENV_DELIMITER.join(key[:depth]).upper()
        if variable in {name.upper() for name in variables()}:
            return variable
        for file, layer in reversed(layers.items()):
            if _holds(layer, key[:depth]):
                return file
    return next(reversed(layers))


def _holds(layer: Any, key: list[str]) -> bool:
    for part in key:
        if not isinstance(layer, dict) or part not in layer:
            return False
        layer = layer[part]
    return True
