"""The last mandate that a principal gave for a meeting, as the channel holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.ids import is_count, is_hash
from client.encodings.mandate import SignedMandate, parse_mandate

if TYPE_CHECKING:
    from client.encodings.mandate import Mandate


@dataclass(frozen=True, slots=True)
class Revoked:
    """How a mandate ended: the revocation (JWS), and the enrolment's revision that its verdict relied on."""

    by: str
    rev: int


@dataclass(frozen=True, slots=True)
class MandateRecord:
    """A mandate on the channel.

    `rev` is the revision of the principal's enrolment that the verdict relied on; `past` are the digests of
    the mandates in whose place it stands, the oldest first.
    """

    signed: SignedMandate
    rev: int
    past: tuple[str, ...] = ()
    revoked: Revoked | None = None
    tx: str = ""

    @property
    def mandate(self) -> Mandate:
        """What it says."""
        return self.signed.mandate

    @property
    def digest(self) -> str:
        """Its name, which the proxy's ballots carry."""
        return self.signed.digest

    def encode(self) -> bytes:
        """Return the record's canonical bytes."""
        value: dict[str, Any] = {
            "v": 1,
            "mandate": self.signed.compact,
            "enr": self.rev,
            "past": list(self.past),
            "tx": self.tx,
        }
        if self.revoked is not None:
            value["revoked"] = {"by": self.revoked.by, "enr": self.revoked.rev}
        return jcs.dumps(value)


def parse_mandate_record(data: bytes) -> MandateRecord:
    """Return the record; raise ValueError for any other form, Refused for a mandate that is none."""
    match jcs.loads(data):
        case {"v": 1, "mandate": str(compact), "enr": rev, "past": list(past), "tx": str(tx), **rest}:
            pass
        case _:
            raise ValueError("it is no mandate's record")
    revoked: Revoked | None = None
    match rest:
        case {"revoked": {"by": str(by), "enr": revoked_rev}} if is_count(revoked_rev):
            revoked = Revoked(by, revoked_rev)
    if not is_count(rev) or not all(is_hash(one) for one in past):
        raise ValueError("a revision or a digest is none")
    record = MandateRecord(parse_mandate(compact), rev, tuple(past), revoked, tx)
    if record.encode() != data:
        raise ValueError("it is not in its one form")
    return record
