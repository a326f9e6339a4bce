"""What is known of meetings and voters, read from the database as the encodings' own values."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from client.encodings import cbor, merkle
from client.encodings.leaf import parse_leaf
from client.encodings.meeting import parse_meeting
from client.encodings.records import Enrolment, Session
from client.errors import UserError
from client.platform.models import IdentitySession, Lender, Meeting, RollEntry

if TYPE_CHECKING:
    from client.encodings.leaf import Leaf
    from client.encodings.meeting import Meeting as MeetingRecord
    from client.encodings.records import Outcome
    from client.platform.database import Database


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


def roll_entry(database: Database, mtg: str, sub: str) -> tuple[int, Leaf] | None:
    """Return a voter's index and leaf on a meeting's roll, None where they aren't on it."""
    with database.read() as session:
        row = session.get(RollEntry, (mtg, sub))
        return None if row is None else (row.idx, parse_leaf(row.leaf))


class DatabaseRecords:
    """Enrolments and identity checks as this platform recorded them on `identity`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enrolment(self, sub: str, institution: str) -> Enrolment | None:
        """Return a pseudonym's enrolment, None while it isn't on the channel."""
        with self._database.read() as session:
            query = select(Lender).where(Lender.sub == sub, Lender.institution == institution)
            row = session.scalars(query).one_or_none()
            if row is None or row.certificate is None or row.status not in ("enrolled", "revoked"):
                return None
            return Enrolment(
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

    def session(self, ses: str) -> Session | None:
        """Return an identity check, None while it isn't on the channel."""
        with self._database.read() as session:
            row = session.get(IdentitySession, ses)
            if row is None or row.status != "recorded":
                return None
            return Session(
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
            )
