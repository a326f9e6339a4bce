"""What is known of meetings and voters, read from the database as the encodings' own values."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy import select

from client.encodings import cbor, merkle
from client.encodings.leaf import parse_leaf
from client.encodings.meeting import parse_meeting
from client.encodings.records import Enrolment, Session
from client.errors import UserError
from client.platform.models import IdentitySession, Lender, Meeting, RollEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from client.encodings.leaf import Leaf
    from client.encodings.meeting import Meeting as MeetingRecord
    from client.encodings.records import Outcome
    from client.platform.database import Database


_CHUNK = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MeetingFile:
    """A meeting with its whole roll: the record, the cap on the channel, and the tree that proves entries."""

    meeting: MeetingRecord
    cap: tuple[bytes, ...]
    tree: merkle.Tree


def load_meeting(database: Database, mtg: str) -> MeetingFile:
    """Read a meeting; raise UserError (MEETING_NOT_FOUND) where the database has none of this id."""
    with database.read() as session:
        row = session.get(Meeting, mtg)
        if row is None:
            raise UserError(
                f"this platform knows no meeting {mtg!r}: see `concordat meeting list`",
                code="MEETING_NOT_FOUND",
            )
        leaves = session.scalars(select(RollEntry.leaf).where(RollEntry.mtg == mtg).order_by(RollEntry.idx))
        tree = merkle.Tree(merkle.leaf_hash(leaf) for leaf in leaves)
    cap = tuple(cast("list[bytes]", cbor.loads(row.cap)))
    return MeetingFile(parse_meeting(row.record.encode()), cap, tree)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut values into lists that one query's `IN` takes."""
    every = list(values)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def roll_entry(database: Database, mtg: str, sub: str) -> tuple[int, Leaf] | None:
    """Return a voter's index and leaf on a meeting's roll, None where they aren't on it."""
    return roll_entries(database, mtg, [sub]).get(sub)


def roll_entries(database: Database, mtg: str, subs: Collection[str]) -> dict[str, tuple[int, Leaf]]:
    """Return voters' indexes and leaves on a meeting's roll, leaving out whoever isn't on it."""
    query = select(RollEntry.sub, RollEntry.idx, RollEntry.leaf).where(RollEntry.mtg == mtg)
    with database.read() as session:
        return {
            row.sub: (row.idx, parse_leaf(row.leaf))
            for asked in chunks(subs)
            for row in session.execute(query.where(RollEntry.sub.in_(asked)))
        }


class DatabaseRecords:
    """Enrolments and identity checks as this platform recorded them on `identity`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enrolments(self, subs: Collection[str], institution: str) -> dict[str, Enrolment]:
        """Return the enrolments that are on the channel, by pseudonym."""
        query = select(
            Lender.sub,
            Lender.certificate,
            Lender.x5t,
            Lender.institution,
            Lender.method,
            Lender.commitment,
            Lender.status,
            Lender.rev,
            Lender.enrolment_tx,
        ).where(Lender.institution == institution, Lender.status.in_(("enrolled", "revoked")))
        with self._database.read() as session:
            return {
                row.sub: Enrolment(
                    sub=row.sub,
                    certificate=base64.b64decode(row.certificate),
                    x5t=row.x5t or "",
                    institution=row.institution,
                    method=row.method or "",
                    commitment=row.commitment or "",
                    status="revoked" if row.status == "revoked" else "active",
                    rev=row.rev,
                    tx=row.enrolment_tx or "",
                )
                for asked in chunks(subs)
                for row in session.execute(query.where(Lender.sub.in_(asked)))
                if row.certificate is not None
            }

    def enrolment(self, sub: str, institution: str) -> Enrolment | None:
        """Return a pseudonym's enrolment, None while it isn't on the channel."""
        return self.enrolments([sub], institution).get(sub)

    def sessions(self, ids: Collection[str]) -> dict[str, Session]:
        """Return the identity checks that are on the channel, by their id."""
        query = select(
            IdentitySession.ses,
            IdentitySession.sub,
            IdentitySession.x5t,
            IdentitySession.institution,
            IdentitySession.mtg,
            IdentitySession.method,
            IdentitySession.outcome,
            IdentitySession.commitment,
            IdentitySession.issued_at,
            IdentitySession.expires_at,
            IdentitySession.act,
        ).where(IdentitySession.status == "recorded")
        with self._database.read() as session:
            return {
                row.ses: Session(
                    ses=row.ses,
                    sub=row.sub,
                    x5t=row.x5t,
                    institution=row.institution,
                    mtg=row.mtg,
                    method=row.method,
                    outcome=cast("Outcome", row.outcome),
                    commitment=row.commitment,
                    issued_at=row.issued_at,
                    expires_at=row.expires_at,
                    act=row.act,
                )
                for asked in chunks(ids)
                for row in session.execute(query.where(IdentitySession.ses.in_(asked)))
            }

    def session(self, ses: str) -> Session | None:
        """Return an identity check, None while it isn't on the channel."""
        return self.sessions([ses]).get(ses)
