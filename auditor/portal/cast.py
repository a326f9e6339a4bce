"""Ballots as their lenders and the meeting's organisations may see them; no choice before the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from auditor.portal.errors import PortalRefused
from client.encodings import jcs
from client.encodings.ballot import parse_ballot
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from auditor.portal.challenge import Answer, Challenges
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.place import Place
    from auditor.portal.watch import Watcher
    from auditor.view import ChainBallot

NO_VOTE = "no-vote"
RECORDS = "records"
_COMMITTING: Final = ("digest", "ses")
"""What commits to a ballot's choices, and the one secret that keeps such commitments blind."""


def cast_in_name(
    watcher: Watcher, challenges: Challenges, facts: MeetingFacts, place: Place, answer: Answer | None
) -> dict[str, Any]:
    """Return what was cast in a lender's name: each ballot with its time and identity check.

    Whoever has the leaf learns that much, whatever key is enrolled under it: whom somebody else enrolled
    would see nothing otherwise. The enrolled key opens the rest: digest, place on the chain, and choices
    once the meeting is closed. Refuse with NOT_SHOWN, always the same, a leaf that isn't on the roll and
    an answer that isn't by the enrolled key.
    """
    try:
        place.verify(facts.meeting)
    except Refused as refused:
        raise PortalRefused("NOT_SHOWN") from refused
    sub = place.leaf.sub
    enrolment = watcher.enrolment(sub)
    if answer is not None:
        challenges.verify_lender(answer, NO_VOTE, facts, enrolment)
    ballots = [_in_name(watcher, facts, one, full=answer is not None) for one in facts.ballots_of(sub)]
    refused_too = sum(one.sub == sub for one in facts.refused.values())
    return {
        "v": 1,
        "cast": bool(ballots),
        "enrolled": enrolment is not None,
        "refused": refused_too,
        "ballots": ballots,
    }


def records_for(
    watcher: Watcher, challenges: Challenges, facts: MeetingFacts, place: Place | None, answer: Answer
) -> tuple[str, list[dict[str, Any]]]:
    """Return who asks ("lender", or an MSP id) and every ballot that was ever accepted, in the chain's order.

    A lender of the meeting has to show their leaf and to sign with their enrolled key, an organisation
    of the channel to sign as officer or auditor; NOT_SHOWN for anybody else.
    """
    if place is None:
        asking = challenges.verify_officer(answer, RECORDS, facts, watcher.membership(facts.channel))
    else:
        try:
            place.verify(facts.meeting)
        except Refused as refused:
            raise PortalRefused("NOT_SHOWN") from refused
        challenges.verify_lender(answer, RECORDS, facts, watcher.enrolment(place.leaf.sub))
        return "lender", [_for_lender(facts, one, place.leaf.sub) for one in facts.accepted.values()]
    return asking, [_record(facts, one) for one in facts.accepted.values()]


def _stands(facts: MeetingFacts, ballot: ChainBallot) -> bool:
    return facts.standing.get(ballot.sub) == ballot.digest


def _record(facts: MeetingFacts, ballot: ChainBallot) -> dict[str, Any]:
    names = ("digest", "sub", "seq", "ses", "door", "ack_no", "ack_time", "tx", "block")
    value = {name: getattr(ballot, name) for name in names} | {"stands": _stands(facts, ballot)}
    return value | _choices(facts, ballot)


def _for_lender(facts: MeetingFacts, ballot: ChainBallot, asking: str) -> dict[str, Any]:
    """Return a record for a lender: of others' ballots nothing that a choice could be tried on.

    A digest is over the signed text alone, in which the identity check's id is all that nobody can guess. Who
    had both could sign each choice for themselves and compare. Log leaves and heads are made of digests,
    so a running meeting's others get neither.
    """
    value = _record(facts, ballot)
    if not facts.closed and ballot.sub != asking:
        for name in _COMMITTING:
            del value[name]
    return value


def _choices(facts: MeetingFacts, ballot: ChainBallot) -> dict[str, Any]:
    """The one place where choices of single ballots leave the service: of closed meetings alone."""
    return {"votes": jcs.loads(ballot.choices.encode())} if facts.closed else {}


def _in_name(watcher: Watcher, facts: MeetingFacts, ballot: ChainBallot, *, full: bool) -> dict[str, Any]:
    session = watcher.session(ballot.ses)
    value: dict[str, Any] = {
        "time": ballot.ack_time,
        "door": ballot.door,
        "stands": _stands(facts, ballot),
        "by_proxy": parse_ballot(ballot.jws).ballot.prx is not None,
        "session": ballot.ses,
        "method": session.method if session else "",
        "checked_at": session.issued_at if session else "",
    }
    if not full:
        return value
    place = {"digest": ballot.digest, "seq": ballot.seq, "tx": ballot.tx, "block": ballot.block}
    return value | place | _choices(facts, ballot)
