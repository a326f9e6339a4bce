"""Ballots: a lender's signed answer to every motion of one meeting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, hashes, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_hash, is_random_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from client.encodings.meeting import Meeting
    from client.encodings.motion import Motion

TYP: Final = "concordat-ballot+jws"
MAX_BYTES: Final = 3072
MAX_SEQ: Final = 1000

Vote = str | tuple[str, ...]
"""One motion's answer: a choice, or the choices in ascending order where several may be chosen."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a ballot says: a payload whose own form is valid, not yet judged against anything."""

    mh: str
    mtg: str
    sub: str
    seq: int
    ses: str
    iat: str
    votes: Mapping[str, Vote]
    prx: str | None = None
    """The digest of the mandate by which another than `sub` signs; None for a ballot of one's own."""

    def __post_init__(self) -> None:
        """Refuse what no payload may hold: BALLOT_SEQ, BALLOT_TIME, BALLOT_ID."""
        if not 1 <= self.seq <= MAX_SEQ:
            raise Refused("BALLOT_SEQ", f"seq {self.seq}")
        if not times.is_time(self.iat):
            raise Refused("BALLOT_TIME", f"iat {self.iat[:40]!r}")
        if not is_random_id(self.sub) or not is_random_id(self.ses):
            raise Refused("BALLOT_ID", "sub or ses")
        if self.prx is not None and not is_hash(self.prx):
            raise Refused("BALLOT_ID", "prx")

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        value = {
            "v": 1,
            "mh": self.mh,
            "mtg": self.mtg,
            "sub": self.sub,
            "seq": self.seq,
            "ses": self.ses,
            "iat": self.iat,
            "votes": votes_json(self.votes),
        }
        return jcs.dumps(value if self.prx is None else value | {"prx": self.prx})


@dataclass(frozen=True, slots=True)
class SignedBallot:
    """A ballot with its JWS; `verify` says whether a key signed it."""

    ballot: Ballot
    jws: jws.Jws

    @property
    def digest(self) -> str:
        """The ballot's name everywhere: the tagged hash of the signing input, not of the signature."""
        return hashes.digest(hashes.BALLOT, self.jws.signing_input)

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)


def votes_json(votes: Mapping[str, Vote]) -> dict[str, Any]:
    """Return votes as JSON."""
    return {motion: vote if isinstance(vote, str) else list(vote) for motion, vote in votes.items()}


def signing_input(ballot: Ballot, x5t: str) -> bytes:
    """Return exactly what the holder of the certificate `x5t` signs."""
    return jws.signing_input(TYP, x5t, ballot.payload())


def sign_ballot(ballot: Ballot, x5t: str, key: EllipticCurvePrivateKey) -> SignedBallot:
    """Return `ballot` signed; refuse (BALLOT_TOO_LONG) what no door would take."""
    return attach_signature(ballot, jws.sign(TYP, x5t, ballot.payload(), key))


def attach_signature(ballot: Ballot, signed: jws.Jws) -> SignedBallot:
    """Return `ballot` with its JWS; refuse (BALLOT_TOO_LONG)."""
    check_length(signed.compact)
    return SignedBallot(ballot, signed)


def check_length(compact: str) -> None:
    """Refuse (BALLOT_TOO_LONG) a JWS over 3,072 bytes."""
    check_bytes(len(compact.encode("utf-8", "surrogatepass")))


def check_bytes(length: int) -> None:
    """Refuse (BALLOT_TOO_LONG) a JWS of more than 3,072 bytes."""
    if length > MAX_BYTES:
        raise Refused("BALLOT_TOO_LONG", f"{length} bytes")


_MEMBERS: Final = frozenset({"v", "mh", "mtg", "sub", "seq", "ses", "iat", "votes"})


def parse_ballot(compact: str) -> SignedBallot:
    """Return the ballot of a compact JWS, its form fully checked and its signature not at all.

    Refuse in the order of the registry: BALLOT_TOO_LONG, the JWS codes, the BALLOT codes
    up to BALLOT_ID.
    """
    check_length(compact)
    signed = jws.parse(compact, TYP)
    return SignedBallot(_parse_payload(signed.payload), signed)


def _parse_payload(payload: bytes) -> Ballot:
    try:
        value = jcs.loads(payload, tolerant=True)
    except jcs.DuplicateMember as error:
        raise Refused("BALLOT_DUPLICATE_MEMBER", str(error)) from error
    except jcs.JsonError as error:
        raise Refused("BALLOT_JSON", str(error)) from error
    if not isinstance(value, dict):
        raise Refused("BALLOT_JSON", "not an object")
    votes = _check_members(value)
    if value["v"] != 1:
        raise Refused("BALLOT_VERSION", f"v {value['v']}")
    if not _is_canonical(value, payload):
        raise Refused("BALLOT_NOT_CANONICAL")
    mh, mtg, sub, seq, ses, iat = (value[name] for name in ("mh", "mtg", "sub", "seq", "ses", "iat"))
    return Ballot(mh, mtg, sub, seq, ses, iat, votes, value.get("prx"))


def _is_canonical(value: dict[str, Any], payload: bytes) -> bool:
    try:
        return jcs.dumps(value) == payload
    except jcs.JsonError:  # a lone surrogate has no canonical form
        return False


def _check_members(value: dict[str, Any]) -> dict[str, Vote]:
    if value.keys() - {"prx"} != _MEMBERS:
        odd = sorted((value.keys() - {"prx"}) ^ _MEMBERS)
        raise Refused("BALLOT_MEMBER", f"missing or unknown: {', '.join(name[:40] for name in odd[:5])}")
    for name in ("mh", "mtg", "sub", "ses", "iat", "prx"):
        if not isinstance(value.get(name, ""), str):
            raise Refused("BALLOT_MEMBER", f"{name} is no string")
    for name in ("v", "seq"):
        if not is_count(value[name]):
            raise Refused("BALLOT_MEMBER", f"{name} is no integer")
    votes = value["votes"]
    if not isinstance(votes, dict):
        raise Refused("BALLOT_MEMBER", "votes is no object")
    return {motion: _vote(motion, vote) for motion, vote in votes.items()}


def _vote(motion: str, vote: Any) -> Vote:
    if isinstance(vote, str):
        return vote
    if isinstance(vote, list) and all(isinstance(choice, str) for choice in vote):
        return tuple(vote)
    raise Refused("BALLOT_MEMBER", f"the vote on {motion[:20]!r} is neither a string nor an array of strings")


def check_ballot_against(ballot: Ballot, meeting: Meeting) -> None:
    """Refuse a ballot that is not a full and legal answer to this meeting's motions.

    In order: BALLOT_MEETING, BALLOT_NETWORK, CHOICE_MISSING, CHOICE_MOTION,
    CHOICE_UNKNOWN, CHOICE_COUNT; each over all motions before the next.
    """
    if ballot.mtg != meeting.mtg:
        raise Refused("BALLOT_MEETING", f"{ballot.mtg[:40]!r}, not {meeting.mtg!r}")
    if ballot.mh != meeting.mh:
        raise Refused("BALLOT_NETWORK", f"mh {ballot.mh[:43]!r}, not {meeting.mh!r}")
    _check_choices(
        ballot.votes, {motion.id: motion for motion in meeting.motions}, proxied=ballot.prx is not None
    )


def _check_choices(votes: Mapping[str, Vote], motions: Mapping[str, Motion], *, proxied: bool) -> None:
    for name in motions:
        if name not in votes:
            raise Refused("CHOICE_MISSING", name)
    for name in votes:
        if name not in motions:
            raise Refused("CHOICE_MOTION", name[:20])
    for name, vote in votes.items():
        for choice in chosen(vote):
            if choice not in motions[name].choices:
                raise Refused("CHOICE_UNKNOWN", f"{name}: {choice[:40]!r}")
    _check_counts(votes, motions.values(), proxied=proxied)


def check_counts(votes: Mapping[str, Vote], meeting: Meeting, *, proxied: bool) -> None:
    """Refuse (CHOICE_COUNT) answers to this meeting's motions in a wrong number, form or order.

    A proxy answers a motion that its mandate does not cover with no choice at all.
    """
    _check_counts(votes, meeting.motions, proxied=proxied)


def _check_counts(votes: Mapping[str, Vote], motions: Iterable[Motion], *, proxied: bool) -> None:
    for motion in motions:
        if proxied and votes[motion.id] == ():
            continue
        _check_count(votes[motion.id], motion.max_choices, motion.id)


def _check_count(vote: Vote, most: int, motion: str) -> None:
    if isinstance(vote, str):
        if most > 1:
            raise Refused("CHOICE_COUNT", f"{motion}: an array is due where several may be chosen")
        return
    if most == 1:
        raise Refused("CHOICE_COUNT", f"{motion}: one choice is due, not an array")
    if not 1 <= len(vote) <= most:
        raise Refused("CHOICE_COUNT", f"{motion}: {len(vote)} choices, 1 to {most} are due")
    if list(vote) != sorted(set(vote)):
        raise Refused("CHOICE_COUNT", f"{motion}: not in ascending order, each once")


def chosen(vote: Vote) -> tuple[str, ...]:
    """Return a vote's choices as a tuple, whichever form it has."""
    return (vote,) if isinstance(vote, str) else vote


def decode_id(text: str) -> bytes:
    """Return the 16 bytes of a pseudonym or session id that is known to be well-formed."""
    return base64url.decode(text, 16)
