"""The officers who may decide: enrolled with their organization's certificate, by hand, one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from biometrics.store.models import Officer
from biometrics.terms.errors import ServiceRefused
from client.encodings import certificates, ids
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class KnownOfficer:
    """An officer in the directory: `id` is organization and common name, so one person has one id."""

    id: str
    msp: str
    x5t: str
    certificate: bytes = field(repr=False)


def appoint(session: Session, msp: str, certificate: bytes, now: int) -> KnownOfficer:
    """Enter an officer by certificate (DER); a renewed certificate replaces the former.

    That the certificate is the organization's is for who appoints to know. Raises ServiceRefused
    (REQUEST_FORMAT, OFFICER_CERTIFICATE: expired, or not valid yet).
    """
    if not ids.is_msp(msp):
        raise ServiceRefused("REQUEST_FORMAT", "the officer's organization is no MSP id")
    try:
        name = certificates.common_name(certificate)
        certificates.public_key(certificate)
    except Refused as error:
        raise ServiceRefused("REQUEST_FORMAT", f"the officer's certificate: {error.code}") from error
    require_valid(certificate, now)
    identifier = f"{msp}/{name}"
    row = session.get(Officer, identifier) or Officer(id=identifier, added_at=now)
    row.x5t = certificates.thumbprint(certificate)
    row.certificate = certificate
    row.active = True
    session.add(row)
    return _known(row)


def dismiss(session: Session, identifier: str) -> None:
    """End an officer's authority; raises ServiceRefused (NOT_OFFICER) for an unknown one."""
    row = session.get(Officer, identifier)
    if row is None:
        raise ServiceRefused("NOT_OFFICER", "no such officer")
    row.active = False


def by_thumbprint(session: Session, x5t: str) -> KnownOfficer:
    """Return the active officer of a certificate; raises ServiceRefused (NOT_OFFICER)."""
    row = session.scalars(select(Officer).where(Officer.x5t == x5t, Officer.active)).one_or_none()
    if row is None:
        raise ServiceRefused("NOT_OFFICER")
    return _known(row)


def require_valid(certificate: bytes, now: int) -> None:
    """Raise ServiceRefused (OFFICER_CERTIFICATE) unless the certificate (DER) is valid at `now`."""
    loaded = certificates.load(certificate)
    begins, ends = loaded.not_valid_before_utc.timestamp(), loaded.not_valid_after_utc.timestamp()
    if not begins <= now <= ends:
        raise ServiceRefused("OFFICER_CERTIFICATE")


def listed(session: Session) -> list[KnownOfficer]:
    """Return the active officers by id."""
    return [
        _known(row) for row in session.scalars(select(Officer).where(Officer.active).order_by(Officer.id))
    ]


def _known(row: Officer) -> KnownOfficer:
    return KnownOfficer(row.id, row.id.partition("/")[0], row.x5t, row.certificate)
