"""Who may sign for the verification service: the Regulator's auditor, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.members import UNREADABLE, Membership, NotAMember
from client.encodings import certificates
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from auditor.members import Organisation
    from client.encodings.jws import Jws

ROLE: Final = "auditor"  # the certificate attribute `role` of docs/authority.md


class NotTheAuditor(Exception):  # noqa: N818  translated by whoever asked
    """The signature is not the Regulator's auditor's; `part` is SIGNER, ROLE or SIGNATURE."""

    def __init__(self, part: str, detail: str = "", *, expected: object = None, found: object = None) -> None:
        super().__init__(part)
        self.part = part
        self.detail = detail
        self.expected = expected
        self.found = found


def verify_auditor(signed: Jws, certificate: bytes, regulator: Organisation) -> None:
    """Raise NotTheAuditor unless the Regulator's auditor signed with this certificate (DER).

    The CA of its organisation vouches for the certificate, whose attribute `role` is `auditor`, as
    docs/authority.md asks for AnchorAudit.
    """
    thumbprint = certificates.thumbprint(certificate)
    if signed.x5t != thumbprint:
        raise NotTheAuditor("SIGNER", "the header names another", expected=signed.x5t, found=thumbprint)
    try:
        own = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
        identity = pb.identities.SerializedIdentity(mspid=regulator.msp_id, id_bytes=own)
        member = Membership({regulator.msp_id: regulator}).member(identity.SerializeToString())
    except (NotAMember, *UNREADABLE) as error:
        raise NotTheAuditor("SIGNER", str(error)) from error
    role = member.attributes.get("role", "none")
    if role != ROLE:
        raise NotTheAuditor("ROLE", expected=ROLE, found=role)
    try:
        signed.verify(member.key)
    except Refused as error:
        raise NotTheAuditor("SIGNATURE") from error
