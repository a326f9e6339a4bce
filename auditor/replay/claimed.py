"""What a batch's transaction claims: the verdicts in its response and the revisions it relied on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from client.encodings import cbor, jcs
from client.encodings.ids import is_count

ACCEPTED = "accepted"
HELD = "held"
PENDING = "pending"
REFUSED = "refused"


class ResponseMalformedError(ValueError):
    """The response is not a list of verdicts."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry's claimed verdict; `revision` is the enrolment's that a refusal names, else 0."""

    kind: str
    code: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """All claims of one batch; entries that no list names were accepted."""

    verdicts: dict[int, Claim] = field(default_factory=dict)

    def of(self, index: int) -> Claim:
        """Return the claim on one entry."""
        return self.verdicts.get(index, Claim(ACCEPTED))


def parse_claimed(response: bytes) -> Claimed:
    """Read a batch's response; raises ResponseMalformedError."""
    verdicts: dict[int, Claim] = {}
    try:
        value = jcs.loads_canonical(response)
    except jcs.JsonError as error:
        raise ResponseMalformedError(str(error)) from error
    match value:
        case {"held": list(held), "pending": list(pending), "refused": list(refused)}:
            pass
        case _:
            raise ResponseMalformedError("it does not list held, pending and refused")
    for item in held:
        verdicts[_index(item)] = Claim(HELD)
    for item in pending:
        match item:
            case [index, str(code)]:
                verdicts[_index(index)] = Claim(PENDING, code)
            case _:
                raise ResponseMalformedError("a pending entry is not [index, code]")
    for item in refused:
        match item:
            case [index, str(code), revision] if is_count(revision):
                verdicts[_index(index)] = Claim(REFUSED, code, revision)
            case _:
                raise ResponseMalformedError("a refused entry is not [index, code, revision]")
    return Claimed(verdicts)


def relied_revision(record: bytes | None) -> int:
    """Return the enrolment revision that a written ballot names, 0 where it names none.

    It only says which revision to judge by. That the record is the one due, step 15 holds byte by byte.
    """
    if record is None:
        return 0
    try:
        value = cbor.peek(record)
    except cbor.CborError:
        return 0
    match value:
        case [1, _, _, _, _, _, int(revision), *_] if is_count(revision):
            return revision
    return 0


def _index(value: Any) -> int:
    if not is_count(value):
        raise ResponseMalformedError("an index is no number")
    return int(value)
