"""The kinds of file that the log hands out: each names its own in the member `type`."""

from __future__ import annotations

from typing import Any, Final

from client.encodings import jcs

HEAD: Final = "concordat-head"
LEAVES: Final = "concordat-log-leaves"
RECEIPT: Final = "concordat-audited-receipt"
TRUST: Final = "concordat-trust"


def kind_of(data: bytes) -> str:
    """Return what a file calls itself, "" where it names no kind; what it is worth, its verifier says."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError:
        return ""
    kind = value.get("type", "") if isinstance(value, dict) else ""
    return kind if isinstance(kind, str) else ""


def members(data: bytes, kind: str, *names: str) -> dict[str, Any]:
    """Return the members of a file of this kind, version 1, that has exactly the `names` besides.

    Any JSON form will do. Raise ValueError (of which JsonError is one) for any other file.
    """
    value = jcs.loads(data)
    if not isinstance(value, dict) or value.keys() != {"v", "type", *names}:
        raise ValueError(f"it needs exactly v, type, {', '.join(names)}")
    if type(value["v"]) is not int or value["v"] != 1 or value["type"] != kind:
        raise ValueError(f"it is no {kind} of version 1")
    return value
