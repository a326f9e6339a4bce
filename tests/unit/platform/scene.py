"""A platform without a network: a lender CA, enrolled lenders, a meeting with its roll, passed checks."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.encodings import base64url
from client.encodings.leaf import Claim, Leaf
from client.enrolment.lender import LenderKey
from client.meetings.profiles import motions
from client.meetings.record import FrozenRoll, build_meeting
from client.platform import Vault
from client.platform.models import IdentitySession, Lender, Meeting, RollEntry
from client.platform.times import to_text
from client.relay.desk import AcknowledgementDesk, DoorSigner

if TYPE_CHECKING:
    from client.encodings.ballot import SignedBallot, Vote
    from client.encodings.meeting import Meeting as MeetingRecord
    from client.platform import Database

INSTITUTION = "InstitutionAMSP"
OPENS = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GENESIS = {"identity": "a" * 64, "arbitration-institutiona": "b" * 64}
VOTES: dict[str, Vote] = {"m1": "approve", "m2": "reject"}


class Authority:
    """A CA with a root of its own."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.root = self._sign(self.name, self.key.public_key(), is_ca=True)

    def issue(self, name: str, key: ec.EllipticCurvePublicKey) -> bytes:
        """Return a certificate (PEM)."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._sign(subject, key, is_ca=False).public_bytes(serialization.Encoding.PEM)

    @property
    def root_der(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.DER)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=OPENS - timedelta(days=30 if is_ca else 10),
            not_valid_after=OPENS + timedelta(days=3000),
        )
        constraints = x509.BasicConstraints(ca=is_ca, path_length=None)
        return builder.add_extension(constraints, critical=True).sign(self.key, hashes.SHA256())


@dataclass
class Turned:
    now: datetime = OPENS

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Scene:
    """Everything that a desk needs, written straight into the database."""

    database: Database
    lenders: int = 5
    revote: str = "none"
    clock: Turned = field(default_factory=Turned)

    def __post_init__(self) -> None:
        self.vault = Vault({b"keyA": b"k" * 32}, b"keyA", b"i" * 32)
        self.lender_ca, self.door_ca = Authority("lender-ca"), Authority("identity-ca")
        door_key = ec.generate_private_key(ec.SECP256R1())
        pem = self.door_ca.issue("relay", door_key.public_key())
        self.signer = DoorSigner("AssociationMSP", to_der(pem), door_key)
        self.keys = [self._lender() for _ in range(self.lenders)]
        self.meeting = self.hold("m-1")

    def _lender(self) -> LenderKey:
        key = LenderKey.generate(INSTITUTION, base64url.encode(secrets.token_bytes(16)))
        key = key.with_certificate(self.lender_ca.issue(key.sub, key.key.public_key()))
        identifier = uuid.uuid4().hex
        with self.database.write() as session:
            session.add(
                Lender(
                    id=identifier,
                    institution=INSTITUTION,
                    sub=key.sub,
                    person_encrypted=b"",
                    person_index=identifier.encode(),
                    status="enrolled",
                    x5t=key.x5t,
                    certificate=base64.b64encode(key.certificate or b"").decode(),
                    method="insecure-demo",
                    commitment="A" * 43,
                    rev=1,
                    created_at=to_text(OPENS),
                )
            )
        return key

    def hold(self, mtg: str, **changes: Any) -> MeetingRecord:
        """Write an open meeting with all lenders on its roll into the database."""
        leaves = [
            Leaf(mtg, key.sub, (Claim("individual", 100_00),), secrets.token_bytes(16)) for key in self.keys
        ]
        roll = FrozenRoll.freeze(leaves, to_text(OPENS - timedelta(days=1)))
        parts: dict[str, Any] = {
            "mtg": mtg,
            "institution": INSTITUTION,
            "title": "Meeting",
            "roll": roll.summary,
            "motions": motions(["Plan", "Committee"]),
            "opens_at": to_text(OPENS),
            "closes_at": to_text(OPENS + timedelta(hours=1)),
            "objections_until": to_text(OPENS + timedelta(hours=2)),
            "genesis": GENESIS,
            "methods": ["insecure-demo"],
            "revote": self.revote,
        }
        meeting = build_meeting(**(parts | changes))
        with self.database.write() as session:
            session.add(
                Meeting(
                    mtg=mtg,
                    institution=INSTITUTION,
                    channel=meeting.channel,
                    record=meeting.record.decode(),
                    mh=meeting.mh,
                    cap=roll.cap,
                    state="open",
                    created_at=to_text(OPENS),
                )
            )
            for index, leaf in enumerate(roll.leaves):
                session.add(RollEntry(mtg=mtg, sub=leaf.sub, idx=index, leaf=leaf.encode()))
        return meeting

    def check(self, lender: int, **changes: Any) -> str:
        """Write a passed identity check of a lender; return the session's id."""
        key, ses = self.keys[lender], base64url.encode(secrets.token_bytes(16))
        members: dict[str, Any] = {
            "ses": ses,
            "sub": key.sub,
            "x5t": key.x5t,
            "institution": INSTITUTION,
            "mtg": self.meeting.mtg,
            "method": "insecure-demo",
            "outcome": "accept",
            "commitment": "A" * 43,
            "issued_at": to_text(self.clock()),
            "expires_at": to_text(self.clock() + timedelta(minutes=30)),
            "status": "recorded",
        }
        with self.database.write() as session:
            session.add(IdentitySession(**(members | changes)))
        return ses

    def ballot(
        self, lender: int, votes: dict[str, Vote] | None = None, *, seq: int = 1, ses: str | None = None
    ) -> SignedBallot:
        ses = ses or self.check(lender)
        return self.keys[lender].sign(self.meeting, votes or VOTES, ses=ses, iat=self.clock(), seq=seq)

    def desk(
        self, mtg: str = "m-1", bound: int | None = None, door: str | None = None
    ) -> AcknowledgementDesk:
        return AcknowledgementDesk(
            self.database,
            mtg,
            self.signer if door is None else replace(self.signer, msp=door),
            bound=bound,
            clock=self.clock,
            wall=lambda: self.clock().timestamp(),
        )


def to_der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
