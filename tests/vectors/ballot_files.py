"""ballot_accept.json and ballot_reject.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.encodings import cbor
from client.encodings.codes import CODES
from tests.vectors.accept_cases import accept_cases
from tests.vectors.cases import Author, Case
from tests.vectors.form_cases import form_cases
from tests.vectors.judge_cases import reject_cases
from tests.vectors.scene import DOOR, scenes

if TYPE_CHECKING:
    from collections.abc import Iterable


def _file(cases: Iterable[Case]) -> dict[str, Any]:
    return {
        "v": 1,
        "door": DOOR,
        "meetings": {
            name: {
                "record": scene.meeting.record.decode(),
                "mh": scene.meeting.mh,
                "cap": cbor.dumps(list(scene.cap)).hex(),
            }
            for name, scene in scenes().items()
        },
        "vectors": [case.as_json() for case in cases],
    }


def ballot_accept() -> dict[str, Any]:
    """Return what is accepted, held already or pending."""
    return _file(accept_cases(scenes()))


def ballot_reject() -> dict[str, Any]:
    """Return what is refused, in the order of the checks."""
    plain = scenes()["plain"]
    order = list(CODES)
    cases = [*form_cases(Author(plain, plain.lenders["bo"])), *reject_cases(scenes())]
    return _file(sorted(cases, key=lambda case: order.index(case.code)))
