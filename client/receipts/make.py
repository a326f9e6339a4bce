"""Making receipts from what the platform knows and the door's signature."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from client.encodings import jcs
from client.encodings.ballot import parse_ballot
from client.encodings.leaf import parse_claims, parse_leaf
from client.encodings.receipt import Agency, AmendedClaims, OnRoll, Receipt, sign_inclusion
from client.errors import UserError
from client.platform.models import Ballot, Lender, Mandate, RollEntry
from client.platform.registers import load_meeting

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from client.encodings.amendment import Amendment
    from client.platform import Database
    from client.relay.desk import DoorSigner


class ConfirmedAmendments(Protocol):
    """Where an office looks up the amendments of a roll: the institution's channel."""

    def confirmed(self, institution: str, mtg: str) -> tuple[Amendment, ...]:
        """Return a meeting's confirmed amendments in order."""


class ReceiptOffice:
    """Issues receipts for one meeting's committed ballots, in the name of the door that took them."""

    def __init__(
        self,
        database: Database,
        mtg: str,
        signer: DoorSigner,
        amendments: ConfirmedAmendments | None = None,
    ) -> None:
        """Read the meeting and its roll; raise UserError where there is none.

        Without `amendments` to look up, ballots that counted by one get no receipt here.
        """
        self._amendments = amendments
        self._database = database
        self._file = load_meeting(database, mtg)
        self._signer = signer

    def issue(self, digest: str) -> Receipt:
        """Return the receipt of a ballot by its digest; raise UserError while it isn't committed."""
        meeting = self._file.meeting
        with self._database.read() as session:
            ballots = select(Ballot).where(Ballot.mtg == meeting.mtg, Ballot.digest == digest)
            ballot = session.scalars(ballots.where(Ballot.door == self._signer.msp)).one_or_none()
            if ballot is None:
                raise UserError(f"this door took no ballot {digest} at meeting {meeting.mtg!r}")
            if ballot.status != "committed" or ballot.tx is None or ballot.block is None:
                why = f" ({ballot.code})" if ballot.code else ""
                raise UserError(
                    f"ballot {digest} is {ballot.status}{why}: there is a receipt once it is committed"
                )
            basis = self._basis(session, ballot)
            certificate = self._certificate(session, ballot.proxy or ballot.sub)
            agency = None
            if ballot.proxy is not None:
                mandate = session.get(Mandate, parse_ballot(ballot.jws).ballot.prx)
                if mandate is None:
                    raise UserError(f"this platform has not the mandate of ballot {digest}: record it here")
                agency = Agency(mandate.jws, self._certificate(session, ballot.sub))
        return Receipt(
            ballot=ballot.jws,
            basis=basis,
            ack=ballot.ack_jws,
            ack_cert=self._signer.certificate,
            cert=certificate,
            channel=meeting.channel,
            block=ballot.block,
            tx=ballot.tx,
            signature=sign_inclusion(
                digest,
                channel=meeting.channel,
                block=ballot.block,
                tx=ballot.tx,
                x5t=self._signer.x5t,
                key=self._signer.key,
                basis=basis,
            ),
            agency=agency,
        )

    def _basis(self, session: Session, ballot: Ballot) -> OnRoll | AmendedClaims:
        """Return what the ballot counted by: its leaf, or the last amendment that gave it its claims."""
        claims = parse_claims(jcs.loads(ballot.claims.encode()))
        entry = session.get(RollEntry, (self._file.meeting.mtg, ballot.sub))
        if entry is not None and parse_leaf(entry.leaf).claims == claims:
            return OnRoll(parse_leaf(entry.leaf), entry.idx, self._file.tree.path(entry.idx))
        meeting = self._file.meeting
        confirmed = self._amendments.confirmed(meeting.institution, meeting.mtg) if self._amendments else ()
        for amendment in reversed(confirmed):
            for change in amendment.changes:
                if change.sub == ballot.sub and change.after is not None and change.after.claims == claims:
                    return AmendedClaims(amendment.no, amendment.digest, change.after)
        raise UserError(f"no amendment found here gave ballot {ballot.digest} its claims: ask again later")

    def _certificate(self, session: Session, sub: str) -> bytes:
        """Return the certificate (DER) of somebody enrolled with the meeting's institution."""
        mine = select(Lender.certificate).where(Lender.institution == self._file.meeting.institution)
        return base64.b64decode(session.scalars(mine.where(Lender.sub == sub)).one() or "")
