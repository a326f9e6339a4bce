"""Lenders' keys, by what the replay has of their enrolment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.replay.people import standard_base64
from client.encodings import certificates

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from auditor.replay.people import Enrolment


def lender_key(enrolment: Enrolment) -> EllipticCurvePublicKey:
    """Return the enrolled P-256 key; refuse as a certificate without one is refused."""
    return certificates.public_key(standard_base64(enrolment.certificate))
