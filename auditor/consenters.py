"""The consenters of a BFT channel: who they are, how many must sign, and the policy that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auditor import protobuf as pb
from auditor.members import UNREADABLE, NotAMember

if TYPE_CHECKING:
    from auditor.members import Membership


@dataclass(frozen=True, slots=True)
class Consenter:
    """One orderer of the BFT cluster, with the certificate that its block signatures verify under."""

    identifier: int
    msp_id: str
    certificate: x509.Certificate
    pem: bytes

    @property
    def identity(self) -> bytes:
        """Return its serialized identity, as Fabric's policies name it."""
        raw: bytes = pb.identities.SerializedIdentity(
            mspid=self.msp_id, id_bytes=self.pem
        ).SerializeToString()
        return raw


def quorum(count: int) -> int:
    """Return how many of `count` consenters must sign: ceil((n + f + 1) / 2), f = (n - 1) // 3."""
    faulty = (count - 1) // 3
    return (count + faulty + 2) // 2


def parse_consenters(raw: bytes) -> tuple[Consenter, ...]:
    """Read a serialized common.Orderers; raises ValueError where two are one and the same, or none is there.

    Two numbers with one key would let one orderer sign as two.
    """
    mapping = pb.configuration.Orderers.FromString(raw).consenter_mapping
    try:
        consenters = tuple(
            Consenter(one.id, one.msp_id, x509.load_pem_x509_certificate(one.identity), one.identity)
            for one in mapping
        )
        keys = {
            one.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for one in consenters
        }
    except UNREADABLE as error:
        raise ValueError(f"a consenter's certificate cannot be read: {error}") from error
    numbers = {one.identifier for one in consenters}
    if not consenters or len(numbers) != len(consenters) or len(keys) != len(consenters):
        raise ValueError("the consenters are missing or not distinct")
    return consenters


def block_validation(consenters: tuple[Consenter, ...]) -> bytes:
    """Return the serialized policy that the orderers demand for these consenters: a quorum of them.

    SmartBFT's orderers accept no other one (orderer/consensus/smartbft: checkConsentersMatchPolicy).
    """
    envelope = pb.policies.SignaturePolicyEnvelope()
    envelope.rule.n_out_of.n = quorum(len(consenters))
    for position, one in enumerate(consenters):
        envelope.rule.n_out_of.rules.add().signed_by = position
        envelope.identities.add(
            principal_classification=pb.msp_principal.MSPPrincipal.IDENTITY, principal=one.identity
        )
    policy = pb.policies.Policy(type=pb.policies.Policy.SIGNATURE, value=envelope.SerializeToString())
    raw: bytes = policy.SerializeToString(deterministic=True)
    return raw


def verify_members(consenters: tuple[Consenter, ...], members: Membership) -> None:
    """Raise NotAMember unless each consenter is an orderer of the organisation that it stands for."""
    for one in consenters:
        member = members.member(one.identity)
        if "orderer" not in member.roles:
            raise NotAMember(f"consenter {one.identifier} is no orderer of {one.msp_id}")
