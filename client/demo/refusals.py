"""Ballots that have to be refused: by the platform's desk, and by chaincode where the desk is passed over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from client.demo.errors import DemoFailed
from client.encodings.ballot import Ballot, sign_ballot
from client.encodings.batch import encode_batch
from client.encodings.entries import raw_entry
from client.encodings.errors import Refused
from client.platform.registers import load_meeting, roll_entry
from client.platform.verdicts import Verdicts
from client.services import ASSOCIATION

if TYPE_CHECKING:
    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from client.enrolment.lender import LenderKey
    from client.services import Services


def refusal_by_desk(services: Services, mtg: str, ballot: SignedBallot) -> str:
    """Return the code with which the platform's desk refuses a ballot."""
    try:
        services.desk(mtg).accept(ballot.compact)
    except Refused as refused:
        return str(refused.code)
    raise DemoFailed("the platform's desk acknowledged a ballot that it has to refuse")


def refusal_by_chaincode(services: Services, meeting: Meeting, ballot: SignedBallot) -> str:
    """Return the code with which two orgs' endorsers refuse a ballot that nobody checked before.

    It is endorsed, not submitted: the demonstration leaves no trace of forged ballots on the channel.
    """
    file = load_meeting(services.database, meeting.mtg)
    found = roll_entry(services.database, meeting.mtg, ballot.ballot.sub)
    if found is None:
        raise DemoFailed(f"{ballot.ballot.sub} is not on the roll")
    index, leaf = found
    proof = file.tree.run_path(index, meeting.roll.cap_height)
    entry = raw_entry(
        ballot.compact, leaf.encode(), index=index, proof=proof, ack_no=1_000_000, ack_time=int(time.time())
    )
    contract = services.arbitration(ASSOCIATION, "relay", meeting.institution)
    proposal = contract.new_proposal("SubmitBallots", arguments=[encode_batch(meeting.mtg, [entry])])
    verdicts = Verdicts.parse(proposal.endorse().result, 1)
    if 0 not in verdicts.refused:
        raise DemoFailed("the endorsers did not refuse a ballot that they have to refuse")
    return verdicts.refused[0]


def signed_by(stranger: LenderKey, ballot: SignedBallot) -> SignedBallot:
    """Return a lender's ballot signed by somebody else's key."""
    return sign_ballot(ballot.ballot, stranger.x5t, stranger.key)


def changed_mind(lender: LenderKey, ballot: SignedBallot) -> SignedBallot:
    """Return a second ballot with the same `seq` and other choices, by the lender's own key."""
    content = ballot.ballot
    votes = {motion: "reject" if vote != "reject" else "approve" for motion, vote in content.votes.items()}
    second = Ballot(content.mh, content.mtg, content.sub, content.seq, content.ses, content.iat, votes)
    return sign_ballot(second, lender.x5t, lender.key)
