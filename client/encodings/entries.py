"""Between a ballot and its batch entry, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import ballot as ballots
from client.encodings import base64url, jws, merkle, times
from client.encodings.ballot import Ballot, SignedBallot, Vote, decode_id
from client.encodings.batch import AmendedEntry, CompactEntry, Entry, RawEntry
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, MAX_INTEGER
from client.encodings.leaf import Claim, Leaf, parse_leaf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from client.encodings.batch import ClaimIndexes, VoteIndexes
    from client.encodings.meeting import Meeting
    from client.encodings.motion import Motion


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry read as far as the meeting's record alone allows.

    `signed` is None for a compact entry: what was signed needs the enrolment's thumbprint. `payload` is what
    was signed beside it; `rebuilt` the signed ballot of one thumbprint, kept so that it isn't made twice.
    """

    entry: Entry
    ballot: Ballot
    signed: SignedBallot | None
    payload: bytes = b""
    rebuilt: SignedBallot | None = None

    def complete(self, x5t: str) -> SignedBallot:
        """Return the signed ballot, rebuilt with the enrolled certificate's thumbprint if need be."""
        if self.signed is not None:
            return self.signed
        if self.rebuilt is not None and self.rebuilt.jws.x5t == x5t:
            return self.rebuilt
        if isinstance(self.entry, RawEntry):
            raise TypeError("a raw entry is signed as it is")
        payload = self.payload
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
    return CompactEntry(
        **_rebuilt(signed, meeting, ack_no, ack_time),
        index=index,
        salt=leaf.salt,
        claims=claim_indexes(leaf.claims, meeting),
        proof=tuple(proof),
        excluded=motion_indexes(leaf.excluded, meeting),
    )


def amended_entry(signed: SignedBallot, meeting: Meeting, *, ack_no: int, ack_time: int) -> AmendedEntry:
    """Return the entry of a legal ballot of a lender whose leaf an amendment has."""
    return AmendedEntry(**_rebuilt(signed, meeting, ack_no, ack_time))


def _rebuilt(signed: SignedBallot, meeting: Meeting, ack_no: int, ack_time: int) -> dict[str, Any]:
    content = signed.ballot
    ballots.check_ballot_against(content, meeting)
    return {
        "sub": decode_id(content.sub),
        "seq": content.seq,
        "ses": decode_id(content.ses),
        "iat": times.parse(content.iat),
        "votes": vote_indexes(content.votes, meeting),
        "signature": signed.jws.signature,
        "ack_no": ack_no,
        "ack_time": ack_time,
        "prx": None if content.prx is None else base64url.decode(content.prx, HASH_BYTES),
    }


def claim_indexes(claims: Sequence[Claim], meeting: Meeting) -> tuple[ClaimIndexes, ...]:
    """Return claims as the channel has them: by their classes' places in the record."""
    return tuple(
        (meeting.class_index[claim.cls], claim.fen, bytes.fromhex(claim.decision))
        if claim.decision
        else (meeting.class_index[claim.cls], claim.fen)
        for claim in claims
    )


def motion_indexes(motions: Sequence[str], meeting: Meeting) -> tuple[int, ...]:
    """Return motions as the channel has them: by their places in the record, rising."""
    places = {motion.id: index for index, motion in enumerate(meeting.motions)}
    return tuple(sorted(places[motion] for motion in motions))


def vote_indexes(votes: Mapping[str, Vote], meeting: Meeting) -> tuple[VoteIndexes, ...]:
    """Return legal votes as the channel has them: one a motion, by their choices' places in it."""
    return tuple(_indexes(votes[motion.id], motion) for motion in meeting.motions)


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
        votes=votes_of(entry.votes, meeting, proxied=entry.prx is not None),
        prx=None if entry.prx is None else base64url.encode(entry.prx),
    )
    payload = content.payload()
    ballots.check_bytes(jws.compact_length(ballots.TYP, payload))
    return Candidate(entry, content, None, payload)


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
        unknown = set(leaf.excluded) - {motion.id for motion in meeting.motions}
        if unknown:
            raise Refused("ROLL_CLASS", f"no motion {min(unknown)}")
        return leaf
    if isinstance(entry, AmendedEntry):
        raise Refused("ROLL_PROOF", "no amendment names the voter")
    _check_compact_leaf(entry)
    claims = claims_of(entry.claims, meeting)
    return Leaf(content.mtg, content.sub, claims, entry.salt, motions_of(entry.excluded, meeting))


def claims_of(indexes: Sequence[ClaimIndexes], meeting: Meeting) -> tuple[Claim, ...]:
    """Return the claims of class indexes; refuse (ROLL_CLASS) an index that no class has."""
    classes = meeting.roll.classes
    for index, *_ in indexes:
        if index >= len(classes):
            raise Refused("ROLL_CLASS", f"index {index} of {len(classes)}")
    return tuple(
        Claim(classes[index].cls, fen, *(decision.hex() for decision in decisions))
        for index, fen, *decisions in indexes
    )


def motions_of(indexes: Sequence[int], meeting: Meeting) -> tuple[str, ...]:
    """Return the motions of indexes in ascending order; refuse (ROLL_CLASS) an index that no motion has."""
    if any(index >= len(meeting.motions) for index in indexes):
        raise Refused("ROLL_CLASS", f"a motion's index of {len(meeting.motions)}")
    return tuple(sorted(meeting.motions[index].id for index in indexes))


def verify_leaf(leaf: Leaf, entry: Entry, meeting: Meeting, cap: Sequence[bytes]) -> None:
    """Refuse (ROLL_PROOF) a leaf whose path doesn't lead to its node of the meeting's cap."""
    if isinstance(entry, AmendedEntry):
        raise Refused("ROLL_PROOF", "it has no path")
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


def _check_compact_leaf(entry: CompactEntry) -> None:
    # The same conditions as a raw leaf's, on indexes: the record's classes are sorted.
    if not entry.claims:
        raise Refused("ROLL_LEAF", "no claim")
    previous = -1
    for index, fen, *_ in entry.claims:
        if index <= previous or not 1 <= fen <= MAX_INTEGER:
            raise Refused("ROLL_LEAF", "classes out of order, or an amount out of range")
        previous = index
    if sum(claim[1] for claim in entry.claims) > MAX_INTEGER:
        raise Refused("ROLL_LEAF", "the claims together exceed 2^53-1 fen")
    if list(entry.excluded) != sorted(set(entry.excluded)):
        raise Refused("ROLL_LEAF", "the motions excluded are out of order, or one comes twice")


def _indexes(vote: Vote, motion: Motion) -> VoteIndexes:
    if isinstance(vote, str):
        return motion.choices.index(vote)
    return tuple(motion.choices.index(choice) for choice in vote)


def votes_of(votes: Sequence[VoteIndexes], meeting: Meeting, *, proxied: bool = False) -> dict[str, Vote]:
    """Return the votes of choices' indexes, one a motion.

    Refuse, in order: CHOICE_MISSING, CHOICE_MOTION, CHOICE_UNKNOWN, CHOICE_COUNT.
    """
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
    ballots.check_counts(answers, meeting, proxied=proxied)
    return answers
