"""What the desk asks of the database about many ballots at once: one query a kind, not one a ballot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from client.encodings.judge import HeldBallot
from client.platform.models import Ballot
from client.platform.registers import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.orm import Session as DatabaseSession

    from client.encodings.amendment import Amended
    from client.encodings.ballot import SignedBallot
    from client.encodings.leaf import Leaf
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.records import Enrolment, Session


class Records(Protocol):
    """Where a desk looks up voters and their identity checks: its own database, or the channel."""

    def enrolments(self, subs: Collection[str], institution: str) -> Mapping[str, Enrolment]:
        """Return pseudonyms' enrolments by pseudonym, leaving out whoever has none."""

    def sessions(self, ids: Collection[str]) -> Mapping[str, Session]:
        """Return identity checks by their id, leaving out those that aren't there."""


class Mandates(Protocol):
    """Where a desk looks up mandates: the institution's channel."""

    def mandate(self, institution: str, mtg: str, sub: str) -> MandateRecord | None:
        """Return the last mandate that a principal gave for a meeting."""


class RollAmendments(Protocol):
    """Where a desk looks up what amendments made of a frozen roll: the institution's channel."""

    def amended(self, institution: str, mtg: str) -> Mapping[str, Amended]:
        """Return the lenders whom a meeting's confirmed amendments name, by pseudonym."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A ballot that the door took: its digest, number and time, and the signed acknowledgement (JWS)."""

    digest: str
    no: int
    time: str
    ack: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is on record about the ballots of one call, by pseudonym, session or digest.

    `signers` are the pseudonyms of whoever signed each ballot, the voter or a proxy; `amended` are the
    lenders whom amendments name, whether they are on the roll or not.
    """

    known: Mapping[str, Acknowledged]
    places: Mapping[str, tuple[int, Leaf]]
    enrolments: Mapping[str, Enrolment]
    sessions: Mapping[str, Session]
    mandates: Mapping[str, MandateRecord]
    signers: Mapping[str, str]
    amended: Mapping[str, Amended]


@dataclass(slots=True)
class History:
    """What voters' ballots will be on the channel when those acknowledged before have arrived.

    Kept up while a call's ballots are acknowledged one after another.
    """

    latest: dict[str, HeldBallot] = field(default_factory=dict)  # by pseudonym
    users: dict[str, str] = field(default_factory=dict)  # the digest that used a session, by session
    refused: dict[str, str] = field(default_factory=dict)  # the channel's code, by digest

    @classmethod
    def of(cls, session: DatabaseSession, mtg: str, ballots: Iterable[SignedBallot]) -> History:
        """Read the history of these ballots' voters and sessions at a meeting."""
        asked = list(ballots)
        history = cls()
        voted = select(
            Ballot.sub, Ballot.seq, Ballot.digest, Ballot.ses, Ballot.proxy, Ballot.status, Ballot.code
        )
        voted = voted.where(Ballot.mtg == mtg).order_by(Ballot.id)
        for subs in chunks({signed.ballot.sub for signed in asked}):
            for sub, seq, digest, ses, proxy, status, code in session.execute(
                voted.where(Ballot.sub.in_(subs))
            ):
                if status == "refused":
                    history.refused[digest] = str(code)
                else:
                    history.add(sub, HeldBallot(seq, digest, ses, proxy))
        used = select(Ballot.ses, Ballot.digest).where(Ballot.mtg == mtg, Ballot.status != "refused")
        for sessions in chunks({signed.ballot.ses for signed in asked}):
            for ses, digest in session.execute(used.where(Ballot.ses.in_(sessions)).order_by(Ballot.id)):
                history.users.setdefault(ses, digest)
        return history

    def add(self, sub: str, ballot: HeldBallot) -> None:
        """Remember a ballot that was acknowledged."""
        latest = self.latest.get(sub)
        if latest is None or _prevails(ballot, latest):
            self.latest[sub] = ballot
        self.users.setdefault(ballot.ses, ballot.digest)


def _prevails(later: HeldBallot, latest: HeldBallot) -> bool:
    """Say whether a ballot acknowledged later will stand: the principal's own against any proxy's."""
    if later.proxy == latest.proxy:
        return latest.seq < later.seq
    return latest.proxy is not None


def proxies_of(session: DatabaseSession, mtg: str, digests: Iterable[str]) -> dict[str, str]:
    """Return who signed these ballots as a proxy, by digest, leaving out those not acknowledged before."""
    query = select(Ballot.digest, Ballot.proxy).where(Ballot.mtg == mtg)
    return {
        digest: proxy
        for asked in chunks(set(digests))
        for digest, proxy in session.execute(query.where(Ballot.digest.in_(asked)))
        if proxy is not None
    }


def acknowledged_before(
    session: DatabaseSession, mtg: str, door: str, digests: Iterable[str]
) -> dict[str, Acknowledged]:
    """Return the acknowledgements that a door gave for these ballots, by digest."""
    query = select(Ballot.digest, Ballot.ack_no, Ballot.ack_time, Ballot.ack_jws)
    query = query.where(Ballot.mtg == mtg, Ballot.door == door)
    return {
        row.digest: Acknowledged(*row)
        for asked in chunks(set(digests))
        for row in session.execute(query.where(Ballot.digest.in_(asked)))
    }
