"""Replay of a batch of ballots: every verdict, every write, worked out from the entries alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.errors import ReplayError
from auditor.facts import Facts
from auditor.replay import claimed
from auditor.replay.effect import Effect, composite
from auditor.replay.judgement import Bench, Judgement, judge
from auditor.replay.mandates import proxy_of
from auditor.replay.verdicts import Verdicts
from auditor.rules import Change, CountedBallot
from auditor.store import read_ahead
from auditor.view import ChainBallot, numbered_as
from client.encodings import base64url, jcs, times
from client.encodings.ballot import votes_json
from client.encodings.ballot_record import BallotRecord
from client.encodings.batch import RebuiltEntry
from client.encodings.entries import Candidate
from client.encodings.errors import Refused
from client.encodings.leaf import claims_json

if TYPE_CHECKING:
    from auditor.replay.claimed import Claim, Claimed
    from auditor.replay.meetings import MeetingState
    from auditor.replay.people import Enrolment, People, Session
    from auditor.replay.reading import Reading
    from auditor.transactions import Transaction
    from client.encodings.ballot import Ballot
    from client.encodings.batch import Entry
    from client.encodings.mandate_record import MandateRecord

_DIGESTS = 2  # under one acknowledgement number
STEP_VERDICT = 16
STEP_RELIANCE = 17
STEP_ACKNOWLEDGEMENT = 18


@dataclass(slots=True)
class BatchReplay:
    """One batch on its way through the replay; `second` says that it came through the second door."""

    state: MeetingState
    people: People
    transaction: Transaction
    door: str
    second: bool
    claims: Claimed
    facts: Facts = field(default_factory=Facts)
    verdicts: Verdicts = field(default_factory=Verdicts)
    effect: Effect = field(default_factory=Effect)
    change: Change = field(init=False)
    written: dict[str, bytes | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.change = Change(self.state.record)

    def run(self, reading: Reading) -> Effect:
        """Judge every entry in order; takes the accepted ballots over into the meeting's state."""
        self.written = {write.key: write.value for one in self.transaction.sets for write in one.writes}
        voters: set[str] = set()
        mtg = self.state.record.mtg
        self.effect.reads.update(composite(kind, mtg) for kind in ("meeting", "state", "cap", "amendments"))
        self._read_ahead(reading)
        for index, (entry, read) in enumerate(zip(reading.batch.entries, reading.candidates, strict=True)):
            claim = self.claims.of(index)
            try:
                candidate = self._read(entry, read, voters)
            except Refused as refusal:
                self._settle(index, claim, None, Judgement("refused", refusal.code))
                continue
            self._look_up(candidate)
            judged = self._identified(candidate, self._judge(index, claim, candidate))
            self._settle(index, claim, candidate, judged)
        if self.verdicts.accepted:
            self.state.subtotals += 1
            key = composite("subtotal", self.state.record.mtg, self.transaction.tx_id)
            self.effect.writes[key] = self.change.encode()
        self.effect.response = self.verdicts.encode()
        return self.effect

    def _read_ahead(self, reading: Reading) -> None:
        """Have the records that the ballots will be judged by at hand."""
        read = [one for one in reading.candidates if isinstance(one, Candidate)]
        subs = [one.ballot.sub for one in read]
        sessions = [one.ballot.ses for one in read]
        self.people.read_ahead(subs, sessions)
        read_ahead(self.state.held, subs)
        read_ahead(self.state.used, sessions)
        numbers = [numbered_as(self.door, one.entry.ack_no) for one in read]
        read_ahead(self.state.numbered, numbers)
        read_ahead(self.state.numbers, numbers)
        read_ahead(self.state.refused, (one.rebuilt.digest for one in read if one.rebuilt))

    def _look_up(self, candidate: Candidate) -> None:
        """Note what the verdict had to look at: ballot held, mandate, whether one before had the session."""
        mtg, sub = self.state.record.mtg, candidate.ballot.sub
        self.effect.reads.add(composite("ballot", mtg, sub))
        if sub in self.state.held:
            self.effect.reads.add(composite("session", mtg, candidate.ballot.ses))
        if candidate.ballot.prx is not None and self.state.record.proxies:
            self.effect.reads.add(composite("mandate", mtg, sub))

    @staticmethod
    def _read(entry: Entry | Refused, read: Candidate | Refused, voters: set[str]) -> Candidate:
        """Return a readable entry of a voter who has none before it in the batch."""
        # A rebuilt entry names its voter whatever else is wrong with it, a raw one once it can be read.
        if isinstance(entry, RebuiltEntry):
            _first_of(base64url.encode(entry.sub), voters)
        if isinstance(read, Refused):
            raise read
        if not isinstance(entry, RebuiltEntry):
            _first_of(read.ballot.sub, voters)
        return read

    def _judge(self, index: int, claim: Claim, candidate: Candidate) -> Judgement:
        """Judge with the identity records that the claimed verdict relied on."""
        sub, ses = self._signer(candidate.ballot), candidate.ballot.ses
        session = self.people.sessions.get(ses)
        if claim.kind in (claimed.ACCEPTED, claimed.REFUSED):
            revision = claim.revision
            if claim.kind == claimed.ACCEPTED:
                revision = self._written_revision(candidate.ballot.sub)
            enrolment = self.people.at_revision(sub, revision)
            if revision and enrolment is None:
                message = "it relies on a revision of the enrolment that identity does not have"
                self._find(STEP_RELIANCE, index, message, revision)
                enrolment = self.people.enrolment(sub)
            return judge(candidate, self._bench(candidate, enrolment, session))
        # Neither a held nor a pending entry names a revision: any that gives the verdict explains it.
        if claim.code == "SESSION_NOT_FOUND":
            session = None
        if claim.code == "ENROLMENT_NOT_FOUND":
            return judge(candidate, self._bench(candidate, None, session))
        judged = judge(candidate, self._bench(candidate, None, session))
        for enrolment in reversed(self.people.enrolments.get(sub, [])):
            judged = judge(candidate, self._bench(candidate, enrolment, session))
            if (judged.kind, judged.code) == (claim.kind, claim.code):
                break
        return judged

    def _identified(self, candidate: Candidate, judged: Judgement) -> Judgement:
        """Name the ballot even where the verdict came before anybody looked at the voter's key."""
        if judged.signed is not None:
            return judged
        enrolment = self.people.enrolment(self._signer(candidate.ballot))
        return replace(judged, signed=candidate.complete(enrolment.x5t)) if enrolment else judged

    def _bench(self, candidate: Candidate, enrolment: Enrolment | None, session: Session | None) -> Bench:
        return Bench(
            meeting=self.state.record,
            cap=self.state.cap,
            enrolment=enrolment,
            session=session,
            held=self.state.held.get(candidate.ballot.sub),
            session_used=candidate.ballot.ses in self.state.used,
            amended=self.state.overlay.lenders.get(candidate.ballot.sub),
            mandate=self._mandate(candidate.ballot),
            facts=self.facts,
        )

    def _mandate(self, ballot: Ballot) -> MandateRecord | None:
        return self.state.mandates.get(ballot.sub) if ballot.prx is not None else None

    def _signer(self, ballot: Ballot) -> str:
        """Return the pseudonym whose key and identity check the ballot is judged by."""
        return proxy_of(ballot, self._mandate(ballot), self.state.held.get(ballot.sub)) or ballot.sub

    def _settle(self, index: int, claim: Claim, candidate: Candidate | None, judged: Judgement) -> None:
        """Note the verdict, compare it with the claimed one, and take its effect over."""
        ballot = judged.signed.digest if judged.signed else ""
        if (judged.kind, judged.code) != (claim.kind, claim.code):
            message = "another verdict than the ballot deserves"
            expected = f"{judged.kind} {judged.code}".rstrip()
            found = f"{claim.kind} {claim.code}".rstrip()
            self._find(STEP_VERDICT, index, message, found, expected=expected, ballot=ballot)
        match judged.kind:
            case "refused":
                self.verdicts.refused.append((index, judged.code, judged.revision))
            case "pending":
                self.verdicts.pending.append((index, judged.code))
            case "held":
                self.verdicts.held.append(index)
        if candidate is None or judged.signed is None:
            return
        brought = self._brought(candidate, judged, judged.signed.compact, ballot)
        if judged.kind == "accepted":
            self._accept(index, candidate, judged, brought)
        elif judged.kind == "refused" and brought.digest not in self.state.accepted:
            self.state.refused[brought.digest] = brought
        self._note_number(brought, judged.kind)

    def _note_number(self, brought: ChainBallot, kind: str) -> None:
        """Keep an acknowledgement number, with the digest that was brought under it or a second, other one.

        Two digests contradict any word about the number. What is held or pending claims nothing yet.
        """
        key = numbered_as(self.door, brought.ack_no)
        digests = self.state.numbers.get(key, "").split()
        if kind in ("accepted", "refused") and len(digests) < _DIGESTS and brought.digest not in digests:
            digests.append(brought.digest)
        self.state.numbers[key] = " ".join(digests)

    def _accept(self, index: int, candidate: Candidate, judged: Judgement, brought: ChainBallot) -> None:
        content, state = candidate.ballot, self.state
        first = state.numbered.setdefault(numbered_as(self.door, brought.ack_no), brought.digest)
        if first != brought.digest:
            message = "the door gave its acknowledgement number to two ballots"
            self._find(STEP_ACKNOWLEDGEMENT, index, message, brought.ack_no, ballot=brought.digest)
        held = state.held.get(content.sub)
        ballot = BallotRecord(
            door=int(self.second),
            ack_no=candidate.entry.ack_no,
            ack_time=candidate.entry.ack_time,
            claims=judged.claims,
            digest=brought.digest,
            rev=judged.revision,
            seq=content.seq,
            ses=content.ses,
            votes=dict(content.votes),
            excluded=judged.excluded,
            proxy=judged.proxy or None,
        )
        self.change.add(CountedBallot.of(ballot), CountedBallot.of(held) if held else None)
        self.verdicts.accepted += 1
        mtg = state.record.mtg
        self.effect.writes[composite("ballot", mtg, content.sub)] = ballot.encode(state.record)
        if held:
            self.effect.writes[composite("session", mtg, held.ses)] = held.digest.encode()
            state.used[held.ses] = held.digest
        state.held[content.sub] = ballot
        state.accepted[brought.digest] = brought
        state.refused.pop(brought.digest, None)

    def _brought(self, candidate: Candidate, judged: Judgement, compact: str, digest: str) -> ChainBallot:
        content = candidate.ballot
        return ChainBallot(
            digest=digest,
            sub=content.sub,
            seq=content.seq,
            jws=compact,
            choices=jcs.dumps(votes_json(content.votes)).decode(),
            claims=jcs.dumps(claims_json(judged.claims)).decode(),
            ses=content.ses,
            door=self.door,
            ack_no=candidate.entry.ack_no,
            ack_time=_time(candidate.entry.ack_time),
            tx=self.transaction.tx_id,
            block=self.transaction.block,
            code=judged.code,
        )

    def _written_revision(self, sub: str) -> int:
        """Return the revision that the written ballot names, 0 where none was written."""
        return claimed.relied_revision(self.written.get(composite("ballot", self.state.record.mtg, sub)))

    def _find(
        self, step: int, index: int, message: str, found: object, *, expected: object = None, ballot: str = ""
    ) -> None:
        where = f"{self.transaction.where} entry {index}"
        self.effect.findings.append(
            ReplayError(step, where, message, expected=expected, found=found, ballot=ballot)
        )


def _time(seconds: int) -> str:
    """Return the time, or the bare number where a door named no possible one."""
    return times.form(seconds) if seconds <= times.MAX_SECONDS else str(seconds)


def _first_of(sub: str, voters: set[str]) -> None:
    if sub in voters:
        raise Refused("BATCH_DUPLICATE_VOTER")
    voters.add(sub)
