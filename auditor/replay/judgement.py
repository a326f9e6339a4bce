"""One ballot's verdict, worked out from the ballot, the roll and the identity records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.facts import Facts
from auditor.replay.amendments import uncounted
from auditor.replay.mandates import proxy_of, verify_agency
from client.encodings import times
from client.encodings.amendment import Entitlement
from client.encodings.ballot import check_ballot_against
from client.encodings.entries import read_leaf, verify_leaf
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.replay.people import Enrolment, Session
    from client.encodings.amendment import Amended
    from client.encodings.ballot import SignedBallot
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.entries import Candidate
    from client.encodings.leaf import Claim
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting


@dataclass(frozen=True, slots=True)
class Bench:
    """What a ballot is judged against; None where the record does not exist.

    `enrolment` is that of whoever signs, `mandate` the last that the voter gave. `session_used` says whether
    a ballot of the voter's that was replaced since had the session; `amended` is what amendments made of the
    voter's entry on the roll; `facts` what was verified ahead.
    """

    meeting: Meeting
    cap: Sequence[bytes]
    enrolment: Enrolment | None
    session: Session | None
    held: BallotRecord | None
    session_used: bool
    amended: Amended | None = None
    mandate: MandateRecord | None = None
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`kind` is accepted, held, pending or refused; `code` names why for the last two.

    `signed` is the ballot as it was signed, rebuilt where the entry is compact; None where the
    signer's certificate is not known. `claims` and `excluded` are the proved ones, empty before they are
    proved (`excluded` also has the motions that a proxy's mandate does not cover); `proxy` who signed in
    the voter's place, empty for nobody; `revision` the enrolment's that the verdict relied on, 0 where it
    came before that was looked at.
    """

    kind: str
    code: str = ""
    signed: SignedBallot | None = None
    claims: tuple[Claim, ...] = ()
    revision: int = 0
    excluded: tuple[str, ...] = ()
    proxy: str = ""


def judge(candidate: Candidate, bench: Bench) -> Judgement:
    """Judge one entry in the order of docs/verification.md step 16."""
    signed = candidate.complete(bench.enrolment.x5t) if bench.enrolment else candidate.signed
    if signed is not None and _is_held(signed, bench):
        return Judgement("held", signed=signed)
    claims: tuple[Claim, ...] = ()
    excluded: tuple[str, ...] = ()
    revision = 0
    try:
        check_ballot_against(candidate.ballot, bench.meeting)
        entitled = _entitlement(candidate, bench)
        claims, excluded = entitled.claims, uncounted(entitled.excluded, candidate.ballot.votes)
        _verify_time(candidate.entry.ack_time, bench.meeting)
        if code := verify_agency(candidate.ballot, bench.meeting, bench.mandate):
            return Judgement("pending", code, signed, claims)
        if bench.enrolment is None or signed is None:
            return Judgement("pending", "ENROLMENT_NOT_FOUND", signed, claims)
        revision = bench.enrolment.rev
        _verify_key(signed, bench.enrolment, bench.meeting, bench.facts)
        if bench.session is None:
            return Judgement("pending", "SESSION_NOT_FOUND", signed, claims)
        proxy = proxy_of(candidate.ballot, bench.mandate, bench.held)
        _verify_session(bench.session, signed, proxy, bench.meeting, candidate.entry.ack_time)
        _verify_history(signed.ballot.seq, signed.ballot.ses, proxy, bench)
    except Refused as refusal:
        return Judgement("refused", refusal.code, signed, claims, revision)
    return Judgement("accepted", "", signed, claims, revision, excluded, proxy)


def _entitlement(candidate: Candidate, bench: Bench) -> Entitlement:
    """Return what the voter is entitled to: by an amendment, else by the leaf that the entry proves."""
    if bench.amended is not None:
        if bench.amended.after is None:
            raise Refused("ROLL_PROOF", "an amendment took the voter off the roll")
        return bench.amended.after
    leaf = read_leaf(candidate.entry, candidate.ballot, bench.meeting)
    verify_leaf(leaf, candidate.entry, bench.meeting, bench.cap)
    return Entitlement(leaf.claims, leaf.excluded)


def _is_held(signed: SignedBallot, bench: Bench) -> bool:
    """Say whether this very ballot, genuinely signed, stands already: a repetition, harmless."""
    if bench.held is None or bench.enrolment is None or signed.digest != bench.held.digest:
        return False
    if signed.jws.x5t != bench.enrolment.x5t:
        return False
    try:
        bench.facts.verify(bench.enrolment.signed(signed.jws))
    except Refused:
        return False
    return True


def _verify_time(ack_time: int, meeting: Meeting) -> None:
    if ack_time < times.parse(meeting.opens_at):
        raise Refused("BALLOT_EARLY")
    if ack_time > times.parse(meeting.closes_at):
        raise Refused("BALLOT_LATE")


def _verify_key(signed: SignedBallot, enrolment: Enrolment, meeting: Meeting, facts: Facts) -> None:
    if enrolment.institution != meeting.institution:
        raise Refused("ENROLMENT_FOREIGN")
    if not enrolment.active:
        raise Refused("KEY_REVOKED")
    if signed.jws.x5t != enrolment.x5t:
        raise Refused("KEY_FOREIGN")
    facts.verify(enrolment.signed(signed.jws))


def _verify_session(
    session: Session, signed: SignedBallot, proxy: str, meeting: Meeting, ack_time: int
) -> None:
    sub = signed.ballot.sub
    due = (proxy, sub) if proxy else (sub, "")
    rules = (
        ("SESSION_FOREIGN_LENDER", (session.sub, session.act) == due),
        ("SESSION_FOREIGN_MEETING", (session.mtg, session.institution) == (meeting.mtg, meeting.institution)),
        ("SESSION_FOREIGN_KEY", session.x5t == signed.jws.x5t),
        ("SESSION_METHOD", session.method in meeting.methods),
        ("SESSION_OUTCOME", session.outcome == "accept"),
        ("SESSION_EXPIRED", ack_time <= times.parse(session.expires_at)),
    )
    for code, holds in rules:
        if not holds:
            raise Refused(code)


def _verify_history(seq: int, ses: str, proxy: str, bench: Bench) -> None:
    if bench.held is not None:
        before = bench.held.proxy or ""
        if proxy and not before:
            raise Refused("PRINCIPAL_VOTED")
        if proxy == before and seq == bench.held.seq:
            raise Refused("SEQ_EQUIVOCATION")
        if proxy == before and seq < bench.held.seq:
            raise Refused("SEQ_STALE")
        # The principal's own ballot needs no leave to take the place of a proxy's.
        if proxy or not before:
            if bench.meeting.revote == "none":
                raise Refused("REVOTE_NOT_ALLOWED")
            if bench.meeting.revote == "first":
                raise Refused("FIRST_STANDS")
        # A session serves one voter alone: with no ballot held, none can have used it.
        if bench.session_used or ses == bench.held.ses:
            raise Refused("SESSION_USED")
