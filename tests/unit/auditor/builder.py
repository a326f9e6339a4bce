"""A small Fabric in memory: organisations with real keys, channels with real blocks."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from auditor import protobuf as pb
from auditor.blocks import Header
from auditor.members import ATTRIBUTES_OID
from tests.unit.auditor.config_builder import channel_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2046, 1, 1, tzinfo=dt.UTC)
ENDORSERS = ("AssociationMSP", "RegulatorMSP", "ArbitrationMSP")


def sign(key: ec.EllipticCurvePrivateKey, message: bytes, *, high: bool = False) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    if (s > ORDER // 2) != high:
        s = ORDER - s
    return encode_dss_signature(r, s)


@dataclass(frozen=True)
class Signer:
    msp_id: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @cached_property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @cached_property
    def identity(self) -> bytes:
        raw: bytes = pb.identities.SerializedIdentity(
            mspid=self.msp_id, id_bytes=self.pem
        ).SerializeToString()
        return raw

    def sign(self, message: bytes) -> bytes:
        return sign(self.key, message)


class Org:
    """An organisation with a root of its own; `usable` where Fabric itself is to take it."""

    def __init__(self, msp_id: str, *, usable: bool = False) -> None:
        self.msp_id = msp_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{msp_id} root")])
        self.root = _certificate(name, name, self.key, self.key, ca=True, usable=usable)

    def issue(
        self,
        name: str,
        unit: str = "client",
        attributes: Mapping[str, str] | None = None,
        *,
        ca: bool = False,
    ) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
            ]
        )
        certificate = _certificate(
            subject, self.root.subject, key, self.key, ca=ca, attributes=dict(attributes or {})
        )
        return Signer(self.msp_id, key, certificate)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    attributes: Mapping[str, str] | None = None,
    usable: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if attributes:
        value = json.dumps({"attrs": attributes}).encode()
        builder = builder.add_extension(x509.UnrecognizedExtension(ATTRIBUTES_OID, value), critical=False)
    if usable:
        usage = x509.KeyUsage(
            False, False, False, False, False, True, True, False, False
        )  # sign certificates
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(usage, critical=True).add_extension(identifier, critical=False)
    return builder.sign(by, hashes.SHA256())


class Network:
    """Four organisations, each a peer and an orderer, as the real network has."""

    def __init__(self, institution: str = "InstitutionAMSP") -> None:
        self.orgs = {name: Org(name) for name in (*ENDORSERS, institution)}
        self.peers = {name: org.issue("peer0", "peer") for name, org in self.orgs.items()}
        self.orderers = {name: org.issue("orderer0", "orderer") for name, org in self.orgs.items()}
        self.admins = {name: org.issue("admin", "admin") for name, org in self.orgs.items()}

    def person(self, msp_id: str, role: str) -> Signer:
        return self.orgs[msp_id].issue(role, attributes={"role": role})

    def config(self, sequence: int = 0) -> pb.Message:
        return channel_config(self, sequence)


@dataclass
class Chain:
    """Writes the blocks of one channel; tests tamper with what it returns."""

    network: Network
    channel: str
    blocks: list[bytes] = field(default_factory=list)
    nonces: int = 0
    last_config: int = 0

    def __post_init__(self) -> None:
        self.config = self.network.config()
        config = pb.configtx.ConfigEnvelope(config=self.config)
        header = pb.common.ChannelHeader(type=pb.common.CONFIG, channel_id=self.channel)
        payload = pb.common.Payload(data=config.SerializeToString())
        payload.header.channel_header = header.SerializeToString()
        envelope = pb.common.Envelope(payload=payload.SerializeToString())
        self.add(envelope.SerializeToString(), signers=())

    @property
    def genesis(self) -> bytes:
        return self.header(0).hash()

    def header(self, number: int) -> Header:
        header = pb.common.Block.FromString(self.blocks[number]).header
        return Header(header.number, header.previous_hash, header.data_hash)

    def add(
        self,
        *envelopes: bytes,
        codes: Sequence[int] | None = None,
        signers: Sequence[str] | None = None,
        config: bool = False,
    ) -> bytes:
        """Order a block; a quorum of the orderers signs unless told otherwise."""
        number = len(self.blocks)
        previous = self.header(number - 1).hash() if number else b""
        header = Header(number, previous, hashlib.sha256(b"".join(envelopes)).digest())
        if config:
            self.last_config = number
        block = pb.common.Block()
        block.header.number = number
        block.header.previous_hash = previous
        block.header.data_hash = header.data_hash
        block.data.data.extend(envelopes)
        value = pb.common.OrdererBlockMetadata()
        value.last_config.index = self.last_config
        metadata = pb.common.Metadata(value=value.SerializeToString())
        names = list(self.network.orderers)
        for name in names[:3] if signers is None else signers:
            identifier = pb.common.IdentifierHeader(
                identifier=names.index(name) + 1, nonce=b"n"
            ).SerializeToString()
            message = metadata.value + identifier + header.encoded()
            metadata.signatures.add(
                identifier_header=identifier, signature=sign(self.network.orderers[name].key, message)
            )
        block.metadata.metadata.extend(
            [metadata.SerializeToString(), b"", bytes(codes or [0] * len(envelopes)), b"", b""]
        )
        raw: bytes = block.SerializeToString()
        self.blocks.append(raw)
        return raw

    def invoke(
        self,
        creator: Signer,
        chaincode: str,
        arguments: Sequence[bytes],
        *,
        response: bytes = b"",
        writes: Mapping[str, bytes | None] | None = None,
        reads: Mapping[str, tuple[int, int] | None] | None = None,
        ranges: Sequence[pb.Message] = (),
        endorsers: Sequence[str] = ("AssociationMSP", "RegulatorMSP"),
        status: int = 200,
    ) -> bytes:
        """Return the envelope of an endorsed invocation, with all its hashes and signatures right."""
        self.nonces += 1
        nonce = hashlib.sha256(f"{self.channel}{self.nonces}".encode()).digest()[:24]
        channel_header = pb.common.ChannelHeader(
            type=pb.common.ENDORSER_TRANSACTION,
            channel_id=self.channel,
            tx_id=self.transaction_id(creator),
            extension=pb.proposal.ChaincodeHeaderExtension(
                chaincode_id=pb.chaincode.ChaincodeID(name=chaincode)
            ).SerializeToString(),
        ).SerializeToString()
        signature_header = pb.common.SignatureHeader(
            creator=creator.identity, nonce=nonce
        ).SerializeToString()
        invocation = pb.chaincode.ChaincodeInvocationSpec()
        invocation.chaincode_spec.chaincode_id.name = chaincode
        invocation.chaincode_spec.input.args.extend(arguments)
        proposed = pb.proposal.ChaincodeProposalPayload(
            input=invocation.SerializeToString()
        ).SerializeToString()
        rwset = pb.kvrwset.KVRWSet()
        for key, version in sorted((reads or {}).items()):
            read = rwset.reads.add(key=key)
            if version is not None:
                read.version.block_num, read.version.tx_num = version
        rwset.range_queries_info.extend(ranges)
        for key, value in sorted((writes or {}).items()):
            rwset.writes.add(key=key, value=value or b"", is_delete=value is None)
        results = pb.rwset.TxReadWriteSet()
        results.ns_rwset.add(namespace=chaincode, rwset=rwset.SerializeToString())
        action = pb.proposal.ChaincodeAction(results=results.SerializeToString())
        action.chaincode_id.name = chaincode
        action.response.status = status
        action.response.payload = response
        endorsed = pb.proposal_response.ProposalResponsePayload(
            proposal_hash=hashlib.sha256(channel_header + signature_header + proposed).digest(),
            extension=action.SerializeToString(),
        ).SerializeToString()
        wrapped = pb.transaction.ChaincodeActionPayload(chaincode_proposal_payload=proposed)
        wrapped.action.proposal_response_payload = endorsed
        for name in endorsers:
            peer = self.network.peers[name]
            wrapped.action.endorsements.add(
                endorser=peer.identity, signature=sign(peer.key, endorsed + peer.identity)
            )
        return envelope(creator, channel_header, signature_header, wrapped)

    def transaction_id(self, creator: Signer) -> str:
        """The id of the invocation being made, or of the one made last."""
        nonce = hashlib.sha256(f"{self.channel}{self.nonces}".encode()).digest()[:24]
        return hashlib.sha256(nonce + creator.identity).hexdigest()

    def next_transaction_id(self, creator: Signer) -> str:
        nonce = hashlib.sha256(f"{self.channel}{self.nonces + 1}".encode()).digest()[:24]
        return hashlib.sha256(nonce + creator.identity).hexdigest()


def envelope(creator: Signer, channel_header: bytes, signature_header: bytes, action: pb.Message) -> bytes:
    """Wrap an action payload and sign the whole as its creator."""
    transaction = pb.transaction.Transaction()
    transaction.actions.add(header=signature_header, payload=action.SerializeToString())
    payload = pb.common.Payload(data=transaction.SerializeToString())
    payload.header.channel_header = channel_header
    payload.header.signature_header = signature_header
    raw = payload.SerializeToString()
    sealed: bytes = pb.common.Envelope(payload=raw, signature=sign(creator.key, raw)).SerializeToString()
    return sealed


def copy_without_endorsements(raw: bytes, creator: Signer) -> bytes:
    """The same transaction id, signed again by its creator with too few endorsements."""
    payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(raw).payload)
    transaction = pb.transaction.Transaction.FromString(payload.data)
    action = pb.transaction.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    del action.action.endorsements[1:]
    transaction.actions[0].payload = action.SerializeToString()
    payload.data = transaction.SerializeToString()
    signed = payload.SerializeToString()
    copied: bytes = pb.common.Envelope(
        payload=signed, signature=sign(creator.key, signed)
    ).SerializeToString()
    return copied
