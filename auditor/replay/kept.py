"""How the replay's records are kept on disk."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from auditor.replay.people import Enrolment, Session
from auditor.store import TEXT, Codec
from auditor.view import ChainBallot
from auditor.world import VERSIONS
from client.encodings.ballot_record import BallotRecord
from client.encodings.leaf import Claim

if TYPE_CHECKING:
    from auditor.store import Tables


def _flat(kind: type[Any]) -> tuple[Any, Any]:
    names = [one.name for one in fields(kind)]
    return attrgetter(*names), lambda values: kind(*values)


_enrolment_values, _enrolment = _flat(Enrolment)
_record_values = attrgetter(
    *(one.name for one in fields(BallotRecord) if one.name not in ("claims", "votes"))
)
_record_names: Final = [one.name for one in fields(BallotRecord) if one.name not in ("claims", "votes")]

ENROLMENTS: Final = Codec[list[Enrolment]](
    lambda revisions: [_enrolment_values(one) for one in revisions],
    lambda values: [_enrolment(one) for one in values],
)
SESSIONS: Final = Codec[Session](*_flat(Session))
BALLOTS: Final = Codec[ChainBallot](*_flat(ChainBallot))


def _held_values(held: BallotRecord) -> Any:
    claims = [[one.cls, one.fen, one.decision] for one in held.claims]
    return [claims, dict(held.votes), *_record_values(held)]


def _held(values: Any) -> BallotRecord:
    claims, votes, *rest = values
    members = dict(zip(_record_names, rest, strict=True))
    members["excluded"] = tuple(members["excluded"])
    return BallotRecord(
        claims=tuple(Claim(*one) for one in claims),
        votes={motion: vote if isinstance(vote, str) else tuple(vote) for motion, vote in votes.items()},
        **members,
    )


HELD: Final = Codec[BallotRecord](_held_values, _held)


_MEETING: Final[dict[str, Codec[Any]]] = {
    "held": HELD,
    "used": TEXT,
    "accepted": BALLOTS,
    "refused": BALLOTS,
    "numbers": TEXT,
    "numbered": TEXT,
}
_CHANNEL: Final[dict[str, Codec[Any]]] = {
    "enrolments": ENROLMENTS,
    "sessions": SESSIONS,
    "versions": VERSIONS,
    "ids": TEXT,
    "hashes": TEXT,
    "told": TEXT,
}


def codec_of(name: str) -> Codec[Any]:
    """Return how a table of that name is kept; KeyError for a name that none has."""
    return (_MEETING | _CHANNEL)[name.rpartition("/")[2]]


def meeting_tables(tables: Tables, name: str) -> dict[str, Any]:
    """Return the mappings of a meeting's state that grow with its ballots; `name` is channel and meeting."""
    return {part: tables.table(f"{name}/{part}", codec) for part, codec in _MEETING.items()}
