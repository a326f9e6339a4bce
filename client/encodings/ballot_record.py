"""A ballot as the channel holds it for a voter: what a later one is judged and counted against.

Deterministic CBOR, and by indexes into the meeting's record wherever a name would stand, since every ballot
of a meeting is written once and bytes are what a block costs (ADR 0014). What the block says already, the
transaction's id, is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, cbor
from client.encodings.entries import (
    claim_indexes,
    claims_of,
    motion_indexes,
    motions_of,
    vote_indexes,
    votes_of,
)
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.encodings.ballot import Vote
    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting

VERSION: Final = 1
_PLAIN_MEMBERS: Final = 10
DOORS: Final = 2
"""The platform's door is 0, the second one, the Regulator's, 1."""


@dataclass(frozen=True, slots=True)
class BallotRecord:
    """One voter's standing ballot.

    `rev` is the revision of the enrolment that the verdict relied on, `ack_time` in seconds since 1970.
    `excluded` are the motions that it counts for nothing: those that the voter is excluded from and those
    that a proxy's mandate doesn't cover. `proxy` is the pseudonym of the one who signed in the voter's
    place, None for a ballot of the voter's own.
    """

    door: int
    ack_no: int
    ack_time: int
    claims: tuple[Claim, ...]
    digest: str
    rev: int
    seq: int
    ses: str
    votes: Mapping[str, Vote]
    excluded: tuple[str, ...] = ()
    proxy: str | None = None

    def encode(self, meeting: Meeting) -> bytes:
        """Return the record's bytes at the meeting that the ballot was cast at."""
        special = [
            list(motion_indexes(self.excluded, meeting)),
            b"" if self.proxy is None else base64url.decode(self.proxy, ID_BYTES),
        ]
        return cbor.dumps(
            [
                VERSION,
                self.door,
                self.ack_no,
                self.ack_time,
                [list(claim) for claim in claim_indexes(self.claims, meeting)],
                base64url.decode(self.digest, HASH_BYTES),
                self.rev,
                self.seq,
                base64url.decode(self.ses, ID_BYTES),
                [vote if isinstance(vote, int) else list(vote) for vote in vote_indexes(self.votes, meeting)],
                *(special if self.excluded or self.proxy is not None else []),
            ]
        )


def parse_ballot_record(data: bytes, meeting: Meeting) -> BallotRecord:
    """Return the ballot that `data` holds at `meeting`; raise ValueError for any other form."""
    try:
        record = _record(cbor.loads(data), meeting)
    except (Refused, IndexError) as error:
        raise ValueError(f"it is not this meeting's: {error}") from error
    if record.encode(meeting) != data:
        raise ValueError("it is not in its one form")
    return record


def _record(value: Any, meeting: Meeting) -> BallotRecord:
    excluded: list[Any] = []
    proxy = b""
    match value:
        case [*plain, list(excluded), bytes(proxy)] if len(plain) == _PLAIN_MEMBERS:
            pass
        case plain:
            pass
    match plain:
        case [1, int(), int(), int(), list(), bytes(), int(), int(), bytes(), list()]:
            _, door, ack_no, ack_time, claims, digest, rev, seq, ses, votes = plain
        case _:
            raise ValueError("it is not a ballot's record")
    if door >= DOORS or len(digest) != HASH_BYTES or len(ses) != ID_BYTES or len(proxy) not in (0, ID_BYTES):
        raise ValueError("a door, a digest or an id is none")
    return BallotRecord(
        door,
        ack_no,
        ack_time,
        claims_of([tuple(claim) for claim in claims], meeting),
        base64url.encode(digest),
        rev,
        seq,
        base64url.encode(ses),
        votes_of(
            [vote if isinstance(vote, int) else tuple(vote) for vote in votes], meeting, proxied=bool(proxy)
        ),
        motions_of(excluded, meeting),
        base64url.encode(proxy) if proxy else None,
    )
