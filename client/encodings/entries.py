"""Between a ballot and its batch entry, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.encodings import ballot as ballots
from client.encodings import base64url, jws, merkle, times
from client.encodings.ballot import Ballot, SignedBallot, Vote, decode_id
from client.encodings.batch import CompactEntry, Entry, RawEntry
from client.encodings.errors import Refused
from client.encodings.ids import MAX_INTEGER
from client.encodings.leaf import Claim, Leaf, parse_leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.batch import VoteIndexes
    from client.encodings.meeting import Meeting, Motion


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry read as far as the meeting's record alone allows.

    `signed` is None for a compact entry: what was signed needs the enrolment's thumbprint.
    """

    entry: Entry
    ballot: Ballot
    signed: SignedBallot | None

    def complete(self, x5t: str) -> SignedBallot:
        """Return the signed ballot, rebuilt with the enrolled certificate's thumbprint if need be."""
        if self.signed is not None:
            return self.signed
        if not isinstance(self.entry, CompactEntry):
            raise TypeError("only a compact entry is rebuilt")
        payload = self.ballot.payload()
        data = jws.signing_input(ballots.TYP, x5t, payload)
        return SignedBallot(self.ballot, jws.Jws(x5t, payload, self.entry.signature, data))


def compact_entry(
    signed: SignedBallot,
    meeting: Meeting,
    leaf: Leaf,
    *,
    index: int,
    proof: Sequence[bytes],
    ack_no: int,
    ack_time: int,
) -> CompactEntry:
    """Return the compact entry of a ballot that answers this meeting legally, with its leaf and proof."""
    content = signed.ballot
    ballots.check_ballot_against(content, meeting)
    return CompactEntry(
        sub=decode_id(content.sub),
        seq=content.seq,
        ses=decode_id(content.ses),
        iat=times.parse(content.iat),
        votes=tuple(_indexes(content.votes[motion.id], motion) for motion in meeting.motions),
        signature=signed.jws.signature,
        ack_no=ack_no,
        ack_time=ack_time,
        index=index,
        salt=leaf.salt,
        claims=tuple((meeting.class_index[claim.cls], claim.fen) for claim in leaf.claims),
        proof=tuple(proof),
    )


def raw_entry(
    compact: str, leaf: bytes, *, index: int, proof: Sequence[bytes], ack_no: int, ack_time: int
) -> RawEntry:
    """Return the raw entry of a ballot's compact JWS and its leaf's bytes."""
    return RawEntry(compact, leaf, index, tuple(proof), ack_no, ack_time)


def read_entry(entry: Entry, meeting: Meeting) -> Candidate:
    """Return the candidate of an entry.

    A raw entry is refused as `parse_ballot` refuses. A compact one with, in order,
    BALLOT_SEQ, BALLOT_TIME, CHOICE_MISSING, CHOICE_MOTION, CHOICE_UNKNOWN, CHOICE_COUNT,
    BALLOT_TOO_LONG.
    """
    if isinstance(entry, RawEntry):
        signed = ballots.parse_ballot(entry.jws)
        return Candidate(entry, signed.ballot, signed)
    if not 1 <= entry.seq <= ballots.MAX_SEQ:
        raise Refused("BALLOT_SEQ", f"seq {entry.seq}")
    if entry.iat > times.MAX_SECONDS:
        raise Refused("BALLOT_TIME", f"iat {entry.iat}")
    content = Ballot(
        mh=meeting.mh,
        mtg=meeting.mtg,
        sub=base64url.encode(entry.sub),
        seq=entry.seq,
        ses=base64url.encode(entry.ses),
        iat=times.form(entry.iat),
        votes=_votes(entry.votes, meeting),
    )
    candidate = Candidate(entry, content, None)
    ballots.check_length(candidate.complete("A" * 43).compact)  # a thumbprint's length never varies
    return candidate


def read_leaf(entry: Entry, content: Ballot, meeting: Meeting) -> Leaf:
    """Return the roll leaf of an entry, proved to be this voter's on this meeting's roll but for its path.

    Refuse, in order: ROLL_LEAF, ROLL_LEAF_FOREIGN, ROLL_CLASS.
    """
    if isinstance(entry, RawEntry):
        leaf = parse_leaf(entry.leaf)
        if (leaf.mtg, leaf.sub) != (content.mtg, content.sub):
            raise Refused("ROLL_LEAF_FOREIGN", f"meeting {leaf.mtg!r}, pseudonym {leaf.sub!r}")
        for claim in leaf.claims:
            if claim.cls not in meeting.class_index:
                raise Refused("ROLL_CLASS", claim.cls)
        return leaf
    _check_compact_claims(entry)
    classes = meeting.roll.classes
    for index, _ in entry.claims:
        if index >= len(classes):
            raise Refused("ROLL_CLASS", f"index {index} of {len(classes)}")
    claims = tuple(Claim(classes[index].cls, fen) for index, fen in entry.claims)
    return Leaf(content.mtg, content.sub, claims, entry.salt)


def verify_leaf(leaf: Leaf, entry: Entry, meeting: Meeting, cap: Sequence[bytes]) -> None:
    """Refuse (ROLL_PROOF) a leaf whose path doesn't lead to its node of the meeting's cap."""
    try:
        merkle.verify_run_path(
            leaf.hash(),
            index=entry.index,
            size=meeting.roll.size,
            height=meeting.roll.cap_height,
            path=entry.proof,
            cap=cap,
        )
    except merkle.ProofError as error:
        raise Refused("ROLL_PROOF", str(error)) from error


def _check_compact_claims(entry: CompactEntry) -> None:
    # The same conditions as a raw leaf's, on indexes: the record's classes are sorted.
    if not entry.claims:
        raise Refused("ROLL_LEAF", "no claim")
    previous = -1
    for index, fen in entry.claims:
        if index <= previous or not 1 <= fen <= MAX_INTEGER:
            raise Refused("ROLL_LEAF", "classes out of order, or an amount out of range")
        previous = index
    if sum(fen for _, fen in entry.claims) > MAX_INTEGER:
        raise Refused("ROLL_LEAF", "the claims together exceed 2^53-1 fen")


def _indexes(vote: Vote, motion: Motion) -> VoteIndexes:
    if isinstance(vote, str):
        return motion.choices.index(vote)
    return tuple(motion.choices.index(choice) for choice in vote)


def _votes(votes: Sequence[VoteIndexes], meeting: Meeting) -> dict[str, Vote]:
    if len(votes) < len(meeting.motions):
        raise Refused("CHOICE_MISSING", f"{len(votes)} votes on {len(meeting.motions)} motions")
    if len(votes) > len(meeting.motions):
        raise Refused("CHOICE_MOTION", f"{len(votes)} votes on {len(meeting.motions)} motions")
    answers: dict[str, Vote] = {}
    for motion, vote in zip(meeting.motions, votes, strict=True):
        indexes = (vote,) if isinstance(vote, int) else vote
        if any(index >= len(motion.choices) for index in indexes):
            raise Refused("CHOICE_UNKNOWN", f"{motion.id}: no choice has that index")
        names = tuple(motion.choices[index] for index in indexes)
        answers[motion.id] = names[0] if isinstance(vote, int) else names
    ballots.check_counts(answers, meeting)
    return answers
