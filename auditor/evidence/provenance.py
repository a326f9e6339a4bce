"""What stands behind the roll, attached by whoever exports: its countersignature and its log of corrections.

docs/rolls.md has both forms; they are read here a second time, since the verifier doesn't use the code that
writes them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.evidence.errors import EvidenceRefused
from auditor.signer import SignerRefused, verify_role
from client.encodings import jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.members import Organisation
    from client.encodings.meeting import Meeting

COUNTERSIGNATURE: Final = "roll/countersignature.json"
CORRECTIONS: Final = "roll/corrections.jsonl"
TYP: Final = "concordat-roll+jws"
OF_THE_ROLL: Final = frozenset(("class", "claim_yuan", "decision", "excluded"))
"""What a correction may be about to be handed out; anything else is of a person."""

_STATED: Final = {"v", "mtg", "roll", "source", "corrections", "at"}
_NOTHING_BEFORE: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Countersigned:
    """When the Regulator's officer countersigned the roll, over how many corrections, how many are here."""

    at: str
    corrections: int
    attached: int


def named(files: Sequence[bytes]) -> dict[str, bytes]:
    """Return the files by their names in a package; refuse (EVIDENCE_PROVENANCE) a second of a kind."""
    found: dict[str, bytes] = {}
    for data in files:
        name = COUNTERSIGNATURE if _is_countersignature(data) else CORRECTIONS
        if name in found:
            raise EvidenceRefused("EVIDENCE_PROVENANCE", f"two files for {name}")
        found[name] = data
    return found


def verify_provenance(
    files: Mapping[str, bytes], meeting: Meeting, sub: str, regulator: Organisation
) -> Countersigned | None:
    """Return what the attached files show of the roll's origin, None where none is attached.

    Refuse (EVIDENCE_PROVENANCE) a countersignature that no officer of the Regulator made over exactly the
    frozen roll, and a log of corrections that is not the countersigned one, or that tells of anybody but
    the lender `sub` or of anything but claims and exclusions.
    """
    signature, log = files.get(COUNTERSIGNATURE), files.get(CORRECTIONS)
    if signature is None:
        if log is None:
            return None
        raise EvidenceRefused("EVIDENCE_PROVENANCE", "corrections without the countersignature over them")
    stated = _countersigned(signature, meeting, regulator)
    try:
        at, head = stated["at"], stated["corrections"]
        count = 0 if head is None else head["count"]
        if not times.is_time(at) or not is_count(count):
            raise ValueError("at or corrections")  # noqa: TRY301  one error for every wrong form
        if log is None:
            return Countersigned(at, count, 0)
        if head is None or hashlib.sha256(log).hexdigest() != head["sha256"]:
            raise ValueError("the corrections are not those that were countersigned")  # noqa: TRY301  one error for every wrong form
        *lines, rest = log.split(b"\n")
        if rest:
            raise ValueError("the corrections don't end with a line")  # noqa: TRY301  one error for every wrong form
        if len(lines) != count:
            raise ValueError(f"{len(lines)} corrections, {count} were countersigned")  # noqa: TRY301  one error for every wrong form
        _verify_lines(lines, meeting.mtg, sub)
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceRefused("EVIDENCE_PROVENANCE", str(error)) from error
    return Countersigned(at, count, len(lines))


def _countersigned(data: bytes, meeting: Meeting, regulator: Organisation) -> dict[str, Any]:
    try:
        value = jcs.loads(data)
        names = {"v", "certificate", "jws"}
        if not isinstance(value, dict) or value.keys() != names or not is_first(value["v"]):
            raise ValueError("it is no countersignature")  # noqa: TRY301  one error for every wrong form
        signed = jws.parse(value["jws"], TYP)
        certificate = base64.b64decode(value["certificate"], validate=True)
        verify_role(signed, (certificate,), regulator, "officer")
        stated: dict[str, Any] = jcs.loads_canonical(signed.payload)
        if not isinstance(stated, dict) or stated.keys() != _STATED:
            raise ValueError("its payload has other members than a roll's")  # noqa: TRY301  one error for every wrong form
        if not is_first(stated["v"]):
            raise ValueError("its payload's version is not 1")  # noqa: TRY301  one error for every wrong form
        # As bytes: to Python `true` is equal to 1, and a roll with it would be another document.
        over = jcs.dumps([stated["mtg"], stated["roll"]])
        if over != jcs.dumps([meeting.mtg, meeting.roll.as_json()]):
            raise ValueError("it is over another roll than the frozen one")  # noqa: TRY301  one error for every wrong form
    except SignerRefused as error:
        said = f"countersignature: {error.fault} {error.detail} {error.found or ''}".rstrip()
        raise EvidenceRefused("EVIDENCE_PROVENANCE", said) from error
    except (Refused, ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise EvidenceRefused("EVIDENCE_PROVENANCE", f"countersignature: {error}") from error
    return stated


def _verify_lines(lines: Sequence[bytes], mtg: str, sub: str) -> None:
    before = _NOTHING_BEFORE
    for number, line in enumerate(lines, 1):
        entry = jcs.loads_canonical(line)
        if jcs.dumps([entry["no"], entry["mtg"], entry["before"]]) != jcs.dumps([number, mtg, before]):
            raise ValueError(f"correction {number} doesn't follow the one before")
        if entry["sub"] != sub:
            raise ValueError(f"correction {number} is of another lender: attach the countersignature alone")
        if entry["column"] not in OF_THE_ROLL:
            raise ValueError(f"correction {number} has personal data: attach the countersignature alone")
        before = hashlib.sha256(line).hexdigest()


def _is_countersignature(data: bytes) -> bool:
    try:
        value = jcs.loads(data)
    except jcs.JsonError:
        return False
    return isinstance(value, dict) and "jws" in value
