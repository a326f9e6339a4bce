"""Who is on the identity channel: issuers, enrolments with their revisions, identity checks."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from auditor.members import UNREADABLE
from auditor.store import read_ahead
from client.encodings import certificates, es256, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import is_hash, is_msp, is_name, is_random_id

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from auditor.facts import Facts
    from auditor.replay.authority import Offices
    from client.encodings import jws

OUTCOMES = frozenset(("accept", "retry", "review", "reject"))


@dataclass(frozen=True, slots=True)
class Issuer:
    """An institution's lender CA; `certificate` is standard base64 of the DER."""

    institution: str
    certificate: str
    x5t: str
    status: str
    tx: str

    def encode(self) -> bytes:
        """Return the record's canonical bytes."""
        return _encode(self)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A lender under a pseudonym; `rev` rises by one with every change."""

    sub: str
    certificate: str
    x5t: str
    institution: str
    method: str
    commitment: str
    status: str = "active"
    rev: int = 1
    reason: str = ""
    tx: str = ""

    def encode(self) -> bytes:
        """Return the record's canonical bytes; no reason, no member for it."""
        return _encode(self, without=() if self.reason else ("reason",))

    @property
    def active(self) -> bool:
        """Say whether the certificate is not revoked."""
        return self.status == "active"

    def key(self) -> ec.EllipticCurvePublicKey:
        """Return the lender's P-256 key."""
        return certificates.public_key(standard_base64(self.certificate))

    def recorded(self, rev: int, tx: str) -> Enrolment:
        """Return it as the revision that a transaction makes of it."""
        return Enrolment(
            sub=self.sub,
            certificate=self.certificate,
            x5t=self.x5t,
            institution=self.institution,
            method=self.method,
            commitment=self.commitment,
            status=self.status,
            rev=rev,
            reason=self.reason,
            tx=tx,
        )

    def signed(self, signed: jws.Jws) -> Signed:
        """Return the fact that the lender signed a JWS."""
        return Signed(self.certificate, signed.signature, signed.signing_input)


@dataclass(frozen=True, slots=True)
class Session:
    """One identity check of a lender for a meeting; `act` is whose ballot a proxy will cast, else empty."""

    ses: str
    sub: str
    x5t: str
    institution: str
    mtg: str
    method: str
    outcome: str
    commitment: str
    issued_at: str
    expires_at: str
    tx: str = ""
    act: str = ""

    def encode(self) -> bytes:
        """Return the record's canonical bytes; nobody acted for, no member for it."""
        return _encode(self, without=() if self.act else ("act",))

    def recorded(self, tx: str) -> Session:
        """Return it as a transaction records it."""
        return Session(
            ses=self.ses,
            sub=self.sub,
            x5t=self.x5t,
            institution=self.institution,
            mtg=self.mtg,
            method=self.method,
            outcome=self.outcome,
            commitment=self.commitment,
            issued_at=self.issued_at,
            expires_at=self.expires_at,
            tx=tx,
            act=self.act,
        )

    def same(self, other: Session) -> bool:
        """Say whether both say the same, whichever transaction recorded them."""
        return replace(self, tx="") == replace(other, tx="")


_CHECK: Final = tuple(one.name for one in fields(Session) if one.name not in ("tx", "act"))


@dataclass(slots=True)
class People:
    """The identity channel's records as replayed; every revision of an enrolment is kept.

    A verdict on an arbitration channel names the revision that it relied on, so the auditor
    looks it up as it was, whatever came later. `counts` are sessions by meeting.
    """

    issuers: dict[str, Issuer] = field(default_factory=dict)
    enrolments: MutableMapping[str, list[Enrolment]] = field(default_factory=dict)
    sessions: MutableMapping[str, Session] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def enrolment(self, sub: str) -> Enrolment | None:
        """Return the newest revision of a lender's enrolment."""
        revisions = self.enrolments.get(sub)
        return revisions[-1] if revisions else None

    def at_revision(self, sub: str, rev: int) -> Enrolment | None:
        """Return a lender's enrolment as it was at a revision."""
        revisions = self.enrolments.get(sub, [])
        return revisions[rev - 1] if 1 <= rev <= len(revisions) else None

    def record(self, enrolment: Enrolment) -> None:
        """Take over a new revision."""
        self.enrolments[enrolment.sub] = [*self.enrolments.get(enrolment.sub, []), enrolment]

    def read_ahead(self, subs: Iterable[str], sessions: Iterable[str]) -> None:
        """Have the enrolments of pseudonyms and the identity checks of ids at hand for what comes next."""
        read_ahead(self.enrolments, subs)
        read_ahead(self.sessions, sessions)

    def check(self, session: Session) -> None:
        """Take over a new identity check."""
        self.sessions[session.ses] = session
        self.counts[session.mtg] = self.counts.get(session.mtg, 0) + 1


def parse_enrolment(value: Any, offices: Offices) -> Enrolment:
    """Return an item of Enrol; refuse with ENROLMENT_FORMAT or CERT_FORMAT."""
    names = ("sub", "certificate", "institution", "method", "commitment")
    sub, certificate, institution, method, commitment = _members(value, names, "ENROLMENT_FORMAT")
    if not (
        is_random_id(sub) and is_institution(institution, offices) and is_name(method) and is_hash(commitment)
    ):
        raise Refused("ENROLMENT_FORMAT")
    x5t = certificates.thumbprint(standard_base64(certificate))
    return Enrolment(sub, certificate, x5t, institution, method, commitment)


def parse_session(value: Any, offices: Offices) -> Session:
    """Return an item of RecordSessions; refuse with SESSION_FORMAT."""
    acting = ("act",) if isinstance(value, dict) and "act" in value else ()
    names = (*_CHECK, *acting)
    members = _members(value, names, "SESSION_FORMAT", explicit=True)
    session = Session(**dict(zip(names, members, strict=True)))
    well_formed = (
        is_random_id(session.ses)
        and is_random_id(session.sub)
        and (not acting or (is_random_id(session.act) and session.act != session.sub))
        and is_hash(session.x5t)
        and is_hash(session.commitment)
        and is_institution(session.institution, offices)
        and is_name(session.mtg)
        and is_name(session.method)
        and session.outcome in OUTCOMES
        and times.is_time(session.issued_at)
        and times.is_time(session.expires_at)
    )
    if not well_formed or session.issued_at >= session.expires_at:
        raise Refused("SESSION_FORMAT")
    return session


class Signed(NamedTuple):
    """A fact: the key of a certificate (standard base64 of the DER) made an ES256 signature over `data`."""

    certificate: str
    signature: bytes
    data: bytes

    def verify(self) -> None:
        """Refuse with SIGNATURE_INVALID, or as a certificate without a P-256 key is refused."""
        es256.verify(certificates.public_key(standard_base64(self.certificate)), self.signature, self.data)


class Certified(NamedTuple):
    """A fact: an issuer's certificate issued a lender's to the pseudonym (standard base64 of the DER)."""

    sub: str
    certificate: str
    issuer: str

    def verify(self) -> None:
        """Refuse with CERT_FORMAT, CERT_KEY, CERT_SUBJECT or CERT_CHAIN."""
        _verify_certified(self.sub, load_whole(self.certificate), _root(self.issuer))


def verify_lender(enrolment: Enrolment, issuer: Issuer | None, facts: Facts | None = None) -> None:
    """Refuse a certificate that the institution's confirmed lender CA did not issue to the pseudonym.

    What `facts` know isn't looked at again.
    """
    if issuer is None:
        raise Refused("ISSUER_NOT_FOUND")
    if issuer.status != "confirmed":
        raise Refused("ISSUER_NOT_CONFIRMED")
    certified = Certified(enrolment.sub, enrolment.certificate, issuer.certificate)
    if facts is None:
        certified.verify()
    else:
        facts.verify(certified)


@lru_cache(maxsize=16)  # by the certificate's own bytes
def _root(certificate: str) -> x509.Certificate:
    return load_whole(certificate)


def _verify_certified(sub: str, leaf: x509.Certificate, root: x509.Certificate) -> None:
    if leaf.not_valid_before_utc >= leaf.not_valid_after_utc:
        raise Refused("CERT_FORMAT")
    if is_ca(leaf) or not has_p256_key(leaf):
        raise Refused("CERT_KEY")
    names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if [one.value for one in names] != [sub]:
        raise Refused("CERT_SUBJECT")
    begins = leaf.not_valid_before_utc
    if not root.not_valid_before_utc <= begins <= root.not_valid_after_utc:
        raise Refused("CERT_CHAIN")
    verify_issued(leaf, root)


def load_whole(text: str) -> x509.Certificate:
    """Return a certificate of which every part can be read; refuse with CERT_FORMAT.

    The library reads names, key and extensions when they are asked for; chaincode reads all of it at once.
    """
    certificate = certificates.load(standard_base64(text))
    try:
        _ = (certificate.subject, certificate.issuer, certificate.extensions)
        certificate.public_key()
    except UnsupportedAlgorithm:
        pass  # a key that the library does not know is none of P-256
    except UNREADABLE as error:
        raise Refused("CERT_FORMAT", str(error)) from error
    return certificate


def has_p256_key(certificate: x509.Certificate) -> bool:
    """Say whether a certificate's key is one of P-256."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def verify_issued(leaf: x509.Certificate, root: x509.Certificate) -> None:
    """Refuse (CERT_CHAIN) a certificate that the root's key did not sign."""
    try:
        leaf.verify_directly_issued_by(root)
    except (InvalidSignature, *UNREADABLE) as error:
        raise Refused("CERT_CHAIN") from error


def is_ca(certificate: x509.Certificate) -> bool:
    """Say whether a certificate is one of a CA."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def is_institution(msp_id: str, offices: Offices) -> bool:
    """Say whether an MSP id is an institution's."""
    return is_msp(msp_id) and msp_id not in offices.all()


def standard_base64(text: str) -> bytes:
    """Return the bytes of canonical, padded base64; refuse with CERT_FORMAT."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Refused("CERT_FORMAT", "not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise Refused("CERT_FORMAT", "not canonical base64")
    return data


def _members(value: Any, names: tuple[str, ...], code: str, *, explicit: bool = False) -> list[str]:
    """Return the string members in order; `v` is 1, and may be left out unless `explicit`."""
    if not isinstance(value, dict) or value.keys() - {"v"} != set(names):
        raise Refused(code)
    version = value.get("v", None if explicit else 1)
    texts = [value[name] for name in names]
    if type(version) is not int or version != 1 or set(map(type, texts)) != {str}:
        raise Refused(code)
    return texts


def _encode(record: Issuer | Enrolment | Session, without: tuple[str, ...] = ()) -> bytes:
    value: dict[str, Any] = {name: getattr(record, name) for name in record.__slots__ if name not in without}
    return jcs.dumps({"v": 1, **value})
