"""The judgement of one batch entry: the checks and their order, the same in Go and in Python.

What is genuine, legal and on the roll is decided here from values alone; looking the
values up is the caller's. The steps are numbered as in docs/encodings.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.encodings import certificates
from client.encodings.agency import check_agency, proxy_of
from client.encodings.ballot import check_ballot_against
from client.encodings.entries import Candidate, read_entry, read_leaf, verify_leaf
from client.encodings.errors import Refused
from client.encodings.ids import ID_BYTES
from client.encodings.leaf import Leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.amendment import Amended
    from client.encodings.ballot import Ballot, SignedBallot
    from client.encodings.batch import Entry
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting
    from client.encodings.records import Enrolment, Session


@dataclass(frozen=True, slots=True)
class HeldBallot:
    """The voter's ballot that the channel holds already; `proxy` signed it where it is not None."""

    seq: int
    digest: str
    ses: str
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What an entry is judged against; None for a record that isn't there.

    `enrolment` is that of whoever signs (`agency.signer_of`), `mandate` the voter's last one.
    `session_used` is the digest of the ballot that used the session and was replaced since, if one was: a
    session serves one voter alone, so nobody's else can have. `amended` is what amendments made of the
    voter's entry on the roll, None where none names the voter.
    """

    meeting: Meeting
    cap: Sequence[bytes]
    enrolment: Enrolment | None
    session: Session | None
    held: HeldBallot | None = None
    session_used: str | None = None
    amended: Amended | None = None
    mandate: MandateRecord | None = None

    def proxy(self, ballot: Ballot) -> str | None:
        """Return the proxy who signs a ballot, None for a ballot of the voter's own."""
        return proxy_of(ballot, self.mandate, self.held.proxy if self.held else None)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ballot counts: with these claims, in place of the one held before if there is one."""

    signed: SignedBallot
    leaf: Leaf
    rev: int
    replaces: HeldBallot | None


@dataclass(frozen=True, slots=True)
class Held:
    """The very ballot is held already: a success that changes nothing."""

    digest: str


@dataclass(frozen=True, slots=True)
class Pending:
    """No verdict: an identity record or mandate isn't there yet (`code`); try again later."""

    code: str


Verdict = Accepted | Held | Pending


def judge_entry(entry: Entry, context: Context) -> Verdict:
    """Judge one entry of a batch; refuse with the first check's code that fails."""
    return judge(read_entry(entry, context.meeting), context)  # step 1


def judge(candidate: Candidate, context: Context) -> Verdict:
    """Judge an entry that is read already (so that its voter and session could be looked up)."""
    if _is_held(candidate, context):  # step 2
        return Held(context.held.digest if context.held else "")
    check_ballot_against(candidate.ballot, context.meeting)  # step 3
    leaf = find_leaf(candidate, context)  # step 4
    check_time(candidate.entry.ack_time, context.meeting)  # step 5
    if not check_agency(candidate.ballot, context.meeting, context.mandate):  # step 6
        return Pending("MANDATE_NOT_FOUND")
    if context.enrolment is None:  # step 7
        return Pending("ENROLMENT_NOT_FOUND")
    signed = check_key(candidate, context.enrolment, context.meeting)
    if context.session is None:  # step 8
        return Pending("SESSION_NOT_FOUND")
    signer = context.proxy(candidate.ballot) or candidate.ballot.sub
    check_session(context.session, signed, context.meeting, candidate.entry.ack_time, signer=signer)
    check_history(signed, context)  # step 9
    return Accepted(signed, leaf, context.enrolment.rev, context.held)


def _is_held(candidate: Candidate, context: Context) -> bool:
    # A replay is a success whatever came later: another door's time, a revocation, an
    # expired session. A copy with another signature must still be a genuine one.
    if context.held is None or context.enrolment is None:
        return False
    signed = candidate.complete(context.enrolment.x5t)
    if signed.digest != context.held.digest or signed.jws.x5t != context.enrolment.x5t:
        return False
    try:
        signed.verify(certificates.public_key(context.enrolment.certificate))
    except Refused:
        return False
    return True


def find_leaf(candidate: Candidate, context: Context) -> Leaf:
    """Return the leaf that the ballot counts with: an amendment's, without salt, or the one proved.

    Refuse ROLL_PROOF for a voter whom an amendment took off the roll; otherwise as `read_leaf` and
    `verify_leaf` do.
    """
    content = candidate.ballot
    if context.amended is None:
        leaf = read_leaf(candidate.entry, content, context.meeting)
        verify_leaf(leaf, candidate.entry, context.meeting, context.cap)
        return leaf
    stands = context.amended.after
    if stands is None:
        raise Refused("ROLL_PROOF", "an amendment took the voter off the roll")
    return Leaf(content.mtg, content.sub, stands.claims, bytes(ID_BYTES), stands.excluded)


def check_time(ack_time: int, meeting: Meeting) -> None:
    """Refuse a ballot acknowledged (seconds since 1970) outside the meeting: BALLOT_EARLY, BALLOT_LATE."""
    if ack_time < meeting.opens:
        raise Refused("BALLOT_EARLY", f"acknowledged {meeting.opens - ack_time} seconds before opening")
    if ack_time > meeting.closes:
        raise Refused("BALLOT_LATE", f"acknowledged {ack_time - meeting.closes} seconds after closing")


def check_key(candidate: Candidate, enrolment: Enrolment, meeting: Meeting) -> SignedBallot:
    """Return the signed ballot, by the enrolled key.

    Refuse, in order: ENROLMENT_FOREIGN, KEY_REVOKED, KEY_FOREIGN, SIGNATURE_INVALID.
    """
    if enrolment.institution != meeting.institution:
        raise Refused("ENROLMENT_FOREIGN", enrolment.institution)
    if enrolment.status != "active":
        raise Refused("KEY_REVOKED", f"enrolment revision {enrolment.rev}")
    signed = candidate.complete(enrolment.x5t)
    if signed.jws.x5t != enrolment.x5t:
        raise Refused("KEY_FOREIGN", f"{signed.jws.x5t}, not {enrolment.x5t}")
    signed.verify(certificates.public_key(enrolment.certificate))
    return signed


def check_session(
    session: Session, signed: SignedBallot, meeting: Meeting, ack_time: int, *, signer: str
) -> None:
    """Refuse a session that doesn't cover this ballot at `ack_time` (seconds since 1970).

    In order: SESSION_FOREIGN_LENDER, SESSION_FOREIGN_MEETING, SESSION_FOREIGN_KEY,
    SESSION_METHOD, SESSION_OUTCOME, SESSION_EXPIRED.
    """
    principal = None if signed.ballot.prx is None else signed.ballot.sub
    if (session.sub, session.act) != (signer, principal):
        raise Refused("SESSION_FOREIGN_LENDER")
    # A meeting's id is unique within its institution's channel only.
    if (session.institution, session.mtg) != (meeting.institution, meeting.mtg):
        raise Refused("SESSION_FOREIGN_MEETING", f"{session.mtg} of {session.institution}")
    if session.x5t != signed.jws.x5t:
        raise Refused("SESSION_FOREIGN_KEY")
    if session.method not in meeting.methods:
        raise Refused("SESSION_METHOD", session.method)
    if session.outcome != "accept":
        raise Refused("SESSION_OUTCOME", session.outcome)
    if ack_time > session.expires:
        raise Refused("SESSION_EXPIRED", f"at {session.expires_at}")


def check_history(signed: SignedBallot, context: Context) -> None:
    """Refuse a ballot that can't follow the one held or that reuses a session.

    In order: against a ballot of the same hand SEQ_EQUIVOCATION, SEQ_STALE, REVOTE_NOT_ALLOWED,
    FIRST_STANDS; a proxy's against the principal's PRINCIPAL_VOTED, and against another proxy's
    REVOTE_NOT_ALLOWED, FIRST_STANDS; the principal's own prevails over any proxy's. Then SESSION_USED.
    """
    if context.held is not None:
        proxy = context.proxy(signed.ballot)
        if proxy == context.held.proxy:
            if signed.ballot.seq == context.held.seq:
                raise Refused("SEQ_EQUIVOCATION", f"seq {signed.ballot.seq} is held as {context.held.digest}")
            if signed.ballot.seq < context.held.seq:
                raise Refused("SEQ_STALE", f"seq {signed.ballot.seq}, held {context.held.seq}")
            _check_revote(context.meeting)
        elif proxy is not None:
            if context.held.proxy is None:
                raise Refused("PRINCIPAL_VOTED", f"by {context.held.digest}")
            _check_revote(context.meeting)
        if signed.ballot.ses == context.held.ses:
            raise Refused("SESSION_USED", f"by {context.held.digest}")
    if context.session_used is not None:
        raise Refused("SESSION_USED", f"by {context.session_used}")


def _check_revote(meeting: Meeting) -> None:
    if meeting.revote == "none":
        raise Refused("REVOTE_NOT_ALLOWED")
    if meeting.revote == "first":
        raise Refused("FIRST_STANDS")
