"""The judgement of a whole batch, against a ledger that answers for each voter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from client.encodings import base64url
from client.encodings.agency import signer_of
from client.encodings.batch import RebuiltEntry
from client.encodings.entries import read_entry
from client.encodings.errors import Refused
from client.encodings.judge import Context, HeldBallot, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.batch import Batch, Entry
    from client.encodings.entries import Candidate
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting
    from client.encodings.records import Enrolment, Session


class Ledger(Protocol):
    """What a batch is judged against, as it was before the batch."""

    def enrolment(self, sub: str) -> Enrolment | None:
        """Return a voter's or proxy's enrolment."""

    def session(self, ses: str) -> Session | None:
        """Return the identity check."""

    def held(self, sub: str) -> HeldBallot | None:
        """Return the voter's ballot that is held."""

    def mandate(self, sub: str) -> MandateRecord | None:
        """Return the last mandate that the voter gave."""

    def session_used(self, ses: str) -> str | None:
        """Return the digest of the ballot that used the session and was replaced since."""


def judge_batch(
    batch: Batch, meeting: Meeting, cap: Sequence[bytes], ledger: Ledger
) -> list[Verdict | Refused]:
    """Return a verdict per entry, in order; one bad entry never fails the others.

    A voter whose pseudonym an earlier entry names, whatever became of that one, is
    refused with BATCH_DUPLICATE_VOTER: a transaction doesn't read its own writes.
    """
    seen: set[str] = set()
    verdicts: list[Verdict | Refused] = []
    for entry in batch.entries:
        try:
            verdicts.append(_judge_one(entry, meeting, cap, ledger, seen))
        except Refused as refused:
            verdicts.append(refused.with_traceback(None))
    return verdicts


def _judge_one(
    entry: Entry | Refused, meeting: Meeting, cap: Sequence[bytes], ledger: Ledger, seen: set[str]
) -> Verdict:
    if isinstance(entry, Refused):
        raise entry
    candidate = _read(entry, meeting, seen)
    ballot = candidate.ballot
    held = ledger.held(ballot.sub)
    mandate = ledger.mandate(ballot.sub) if ballot.prx is not None and meeting.proxies else None
    context = Context(
        meeting=meeting,
        cap=cap,
        enrolment=ledger.enrolment(signer_of(ballot, mandate, held.proxy if held else None)),
        session=ledger.session(ballot.ses),
        held=held,
        session_used=ledger.session_used(ballot.ses),
        mandate=mandate,
    )
    return judge(candidate, context)


def _read(entry: Entry, meeting: Meeting, seen: set[str]) -> Candidate:
    # A rebuilt entry names its voter whatever else is wrong with it, a raw one once it parses.
    if isinstance(entry, RebuiltEntry):
        _see(base64url.encode(entry.sub), seen)
        return read_entry(entry, meeting)
    candidate = read_entry(entry, meeting)
    _see(candidate.ballot.sub, seen)
    return candidate


def _see(sub: str, seen: set[str]) -> None:
    if sub in seen:
        raise Refused("BATCH_DUPLICATE_VOTER", sub)
    seen.add(sub)
