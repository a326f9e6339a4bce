"""Members of a channel's organisations by their certificate alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.members import NotAMember

if TYPE_CHECKING:
    from auditor.members import Member, Membership


def member_of(membership: Membership, msp: str, certificate: bytes) -> Member:
    """Return the member whose certificate (DER) an organisation's CA issued; raise NotAMember."""
    try:
        pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
        identity = pb.identities.SerializedIdentity(mspid=msp, id_bytes=pem)
        return membership.member(identity.SerializeToString())
    except ValueError as error:  # no certificate, or one with an extension that can't be read
        raise NotAMember("it is no certificate") from error
