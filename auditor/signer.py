"""The Regulator's auditor as a signer: whose certificate it is, and that it may sign at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.members import UNREADABLE, Membership, NotAMember
from client.encodings import certificates
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.members import Member, Organisation
    from client.encodings.jws import Jws

ROLE: Final = "auditor"  # the certificate attribute `role` of docs/authority.md


class SignerRefused(Exception):  # noqa: N818  the callers give it their own code
    """Whoever of the Regulator's has to didn't sign it: `fault` says which of three things is wrong."""

    def __init__(
        self,
        fault: Literal["signer", "role", "signature"],
        detail: str = "",
        *,
        expected: str = "",
        found: str = "",
    ) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail
        self.expected = expected or None
        self.found = found or None


def verify_auditor(signed: Jws, chain: Sequence[bytes], regulator: Organisation) -> Member:
    """Return the auditor who signed; raise SignerRefused for anybody else."""
    return verify_role(signed, chain, regulator, ROLE)


def verify_role(signed: Jws, chain: Sequence[bytes], regulator: Organisation, wanted: str) -> Member:
    """Return who signed: the CA of the Regulator's organisation vouches for the first certificate of the
    chain (DER), which the header names, and its attribute `role` is the wanted one.

    Raise SignerRefused otherwise.
    """  # noqa: D205  one sentence
    thumbprint = certificates.thumbprint(chain[0])
    if signed.x5t != thumbprint:
        raise SignerRefused("signer", "the header names another", expected=signed.x5t, found=thumbprint)
    try:
        own = x509.load_der_x509_certificate(chain[0])
        identity = pb.identities.SerializedIdentity(
            mspid=regulator.msp_id, id_bytes=own.public_bytes(Encoding.PEM)
        )
        member = Membership({regulator.msp_id: regulator}).member(identity.SerializeToString())
    except (NotAMember, *UNREADABLE) as error:
        raise SignerRefused("signer", str(error)) from error
    role = member.attributes.get("role", "none")
    if role != wanted:
        raise SignerRefused("role", expected=wanted, found=role)
    try:
        signed.verify(member.key)
    except Refused as error:
        raise SignerRefused("signature") from error
    return member
