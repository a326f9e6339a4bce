"""Writes the small part of YAML that Fabric's and Docker's files need."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


def render(value: object) -> str:
    """Render mappings, sequences, texts, whole numbers, booleans and None as block YAML.

    Texts are always quoted, so none is ever read as another type.
    """
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> list[str]:
    if isinstance(value, Mapping) and value:
        found = []
        for key, item in value.items():
            label = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
            found += _entry(f"{label}:", item)
        return found
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [line for item in value for line in _item(item)]
    return [_scalar(value)]


def _entry(label: str, item: object) -> list[str]:
    if isinstance(item, Mapping | list | tuple) and item:
        return [label, *(f"  {line}" for line in _lines(item))]
    return [f"{label} {_scalar(item)}"]


def _item(item: object) -> list[str]:
    first, *rest = _lines(item)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{}"
        case Sequence():
            return "[]"
    raise TypeError(f"{type(value).__name__} has no place in these files")
