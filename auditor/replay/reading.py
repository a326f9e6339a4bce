"""Batches read before their turn: entries opened and rebuilt once, what is to be verified of them named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.ahead import ReadAhead
from client.encodings.batch import decode_batch
from client.encodings.entries import Candidate, read_entry
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.facts import Fact
    from auditor.replay.meetings import MeetingState
    from auditor.replay.people import People
    from client.encodings.batch import Batch, Entry
    from client.encodings.meeting import Meeting


@dataclass(frozen=True, slots=True)
class Reading:
    """A batch as read at one meeting: for each entry the candidate, or the refusal that it gets."""

    batch: Batch
    mh: str
    candidates: tuple[Candidate | Refused, ...]


def signers(reading: Reading) -> list[str]:
    """Return the voters who sign for themselves."""
    read = (one for one in reading.candidates if isinstance(one, Candidate))
    return [one.ballot.sub for one in read if one.ballot.prx is None]


def read_batch(batch: Batch, meeting: Meeting) -> Reading:
    """Read every entry of a batch by the meeting's record alone."""
    return Reading(batch, meeting.mh, tuple(_read(entry, meeting) for entry in batch.entries))


def _read(entry: Entry | Refused, meeting: Meeting) -> Candidate | Refused:
    if isinstance(entry, Refused):
        return entry
    try:
        return read_entry(entry, meeting)
    except Refused as refused:
        return refused.with_traceback(None)  # kept as a value: it needn't hold the stack alive


class Readings:
    """The few batches that are read ahead of the replay, by their bytes."""

    def __init__(self) -> None:
        self._ahead = ReadAhead[Reading]()

    def ask(self, encoded: bytes, meetings: Mapping[str, MeetingState], people: People) -> list[Fact]:
        """Read a batch ahead, and return the signatures that its ballots will be judged by.

        Left to the judgement are ballots by proxy, whose signer only the mandate tells, and whatever is at a
        meeting that is not known yet. Refuses as `decode_batch` does.
        """
        batch = decode_batch(encoded)
        if batch.mtg not in meetings:
            return []
        reading = read_batch(batch, meetings[batch.mtg].record)
        candidates: list[Candidate | Refused] = []
        asked: list[Fact] = []
        people.read_ahead(signers(reading), ())
        for one in reading.candidates:
            enrolment = None
            if isinstance(one, Candidate) and one.ballot.prx is None:
                enrolment = people.enrolment(one.ballot.sub)
            if isinstance(one, Refused) or enrolment is None:
                candidates.append(one)
                continue
            signed = one.complete(enrolment.x5t)
            candidates.append(Candidate(one.entry, one.ballot, one.signed, one.payload, signed))
            asked.append(enrolment.signed(signed.jws))
        self._ahead.put(encoded, Reading(batch, reading.mh, tuple(candidates)))
        return asked

    def take(self, encoded: bytes) -> Reading | None:
        """Return a batch that was read ahead, once; None for any other."""
        return self._ahead.take(encoded)
