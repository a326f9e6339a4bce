"""A transaction's expected effect, and its comparison with what the block holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import ReplayError, VerificationError
from auditor.world import printable

if TYPE_CHECKING:
    from auditor.transactions import Transaction

STEP_WRITES = 15
_MEETING_PART = 2  # of a composite key, split at its zero bytes: "", kind, meeting, …
_SHOWN = 300


@dataclass(slots=True)
class Effect:
    """The response that the chaincode had to give and the keys it had to write (None: delete).

    `reads` are keys that it had to look at, so that the peers find it invalid where one of them has changed
    meanwhile; functions for which none is named are not held to it. `findings` are disagreements that the
    replay met on the way and can say more precisely.
    """

    response: bytes = b""
    writes: dict[str, bytes | None] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    findings: list[VerificationError] = field(default_factory=list)


def composite(kind: str, *attributes: str) -> str:
    """Return the composite key of a record, as the Fabric shim builds it."""
    return "\x00" + "\x00".join((kind, *attributes)) + "\x00"


def only_meeting(transaction: Transaction, expected: Effect) -> str:
    """Return the only meeting that a transaction can concern, "" where that isn't certain.

    Every record of the arbitration chaincode has its meeting as its key's second part. Where what was written
    and what had to be written are one meeting's records, nothing about another is or should be different.
    """
    if any(one.metadata_writes or one.private for one in transaction.sets):
        return ""
    written = {_meeting(write.key) for one in transaction.sets for write in one.writes}
    wanted = {_meeting(key) for key in expected.writes}
    return wanted.pop() if len(wanted) == 1 and written == wanted else ""


def _meeting(key: str) -> str:
    parts = key.split("\x00")
    return parts[_MEETING_PART] if len(parts) > _MEETING_PART else ""


def verify_effect(transaction: Transaction, expected: Effect) -> None:
    """Step 15: the response and every write are byte-equal to the replayed ones; what decides was read."""
    if transaction.response != expected.response:
        raise ReplayError(
            STEP_WRITES,
            transaction.where,
            f"{transaction.function} answered otherwise than it had to",
            expected=_text(expected.response),
            found=_text(transaction.response),
        )
    for one in transaction.sets:
        if one.metadata_writes or one.private:
            raise ReplayError(
                STEP_WRITES,
                transaction.where,
                f"{transaction.function} set a key's policy or touched private data",
                expected="neither",
                found=one.namespace,
            )
    unread = expected.reads - {read.key for one in transaction.sets for read in one.reads}
    if unread:
        raise ReplayError(
            STEP_WRITES,
            transaction.where,
            f"{transaction.function} decided without looking at {printable(min(unread))}",
            expected="a read",
            found="none",
        )
    written = {write.key: write.value for one in transaction.sets for write in one.writes}
    for key in sorted(written.keys() | expected.writes.keys()):
        wanted, found = expected.writes.get(key, b""), written.get(key, b"")
        if key not in expected.writes or key not in written or wanted != found:
            raise ReplayError(
                STEP_WRITES,
                transaction.where,
                f"{transaction.function} wrote {printable(key)} otherwise than it had to",
                expected=_text(wanted) if key in expected.writes else "no write",
                found=_text(found) if key in written else "no write",
            )


def _text(value: bytes | None) -> str:
    if value is None:
        return "deleted"
    text = value.decode("utf-8", "backslashreplace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(value)} bytes)"
