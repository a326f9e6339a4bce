"""Reading DER in its one form, which `asn1crypto` by itself doesn't insist on: it reads parts when asked."""

from __future__ import annotations

from typing import Any


def strictly(kind: Any, data: bytes) -> Any:
    """Return the `kind` of value (a class of `asn1crypto`) that the bytes are, every part of it read.

    Raise ValueError for bytes that aren't DER of exactly that: elements besides, another length's form, an
    integer or a boolean written otherwise, a string or a time that is none.
    """
    try:
        value = kind.load(data, strict=True)
        value.native  # noqa: B018  which reads all that is in it
        written = value.copy().dump(force=True)
    except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("it is no such value") from error
    if written != data:
        raise ValueError("it is not in its one DER form")
    return value
