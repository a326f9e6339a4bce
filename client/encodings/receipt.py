"""Receipts: everything a lender needs to show later that a ballot was taken and recorded."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, certificates, jcs, jws, merkle
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.agency import check_agency
from client.encodings.ballot import check_ballot_against, parse_ballot
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_hex_hash
from client.encodings.judge import check_time
from client.encodings.leaf import Leaf, parse_leaf
from client.encodings.mandate import parse_mandate
from client.encodings.mandate_record import MandateRecord
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from client.encodings.ballot import Ballot
    from client.encodings.meeting import Meeting

TYP: Final = "concordat-receipt+jws"
MAX_PATH: Final = 64


@dataclass(frozen=True, slots=True)
class Agency:
    """By what a proxy signed: the mandate (JWS), and its principal's certificate (DER)."""

    mandate: str
    cert: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A ballot with its leaf and whole path, its acknowledgement, and where the channel has it.

    `ballot`, `ack` and `signature` are compact JWS; `cert` (the signer's) and `ack_cert`
    (the door's) DER; `tx` the hex transaction id. The door's key signs `signature`.
    `agency` is there where a proxy signed.
    """

    ballot: str
    leaf: Leaf
    index: int
    proof: tuple[bytes, ...]
    ack: str
    ack_cert: bytes
    cert: bytes
    channel: str
    block: int
    tx: str
    signature: str
    agency: Agency | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the receipt as the JSON object of its file."""
        value = {
            "v": 1,
            "ballot": self.ballot,
            "leaf": self.leaf.as_json(),
            "index": self.index,
            "proof": [base64url.encode(node) for node in self.proof],
            "ack": self.ack,
            "ack_cert": base64.b64encode(self.ack_cert).decode("ascii"),
            "cert": base64.b64encode(self.cert).decode("ascii"),
            "channel": self.channel,
            "block": self.block,
            "tx": self.tx,
            "signature": self.signature,
        }
        if self.agency is not None:
            cert = base64.b64encode(self.agency.cert).decode("ascii")
            value["mandate"] = {"jws": self.agency.mandate, "cert": cert}
        return value

    def encode(self) -> bytes:
        """Return the receipt's canonical bytes."""
        return jcs.dumps(self.as_json())


def sign_inclusion(
    digest: str, *, channel: str, block: int, tx: str, x5t: str, key: EllipticCurvePrivateKey
) -> str:
    """Return the door's signed word that the ballot `digest` is in `block` of `channel` by `tx`."""
    return jws.sign(TYP, x5t, _payload(digest, channel, block, tx), key).compact


def _payload(digest: str, channel: str, block: int, tx: str) -> bytes:
    return jcs.dumps({"v": 1, "digest": digest, "channel": channel, "block": block, "tx": tx})


_STRINGS: Final = ("ballot", "ack", "channel", "tx", "signature")


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt of a file's bytes (any JSON form); refuse with RECEIPT_FORMAT or ROLL_LEAF."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    names = {*_STRINGS, "v", "leaf", "index", "proof", "ack_cert", "cert", "block"}
    if not isinstance(value, dict) or value.keys() - {"mandate"} != names or value["v"] != 1:
        raise Refused("RECEIPT_FORMAT", "missing or unknown members, or another version")
    for name in _STRINGS:
        if not isinstance(value[name], str):
            raise Refused("RECEIPT_FORMAT", name)
    if not is_count(value["index"]) or not is_count(value["block"]) or not is_hex_hash(value["tx"]):
        raise Refused("RECEIPT_FORMAT", "index, block or tx")
    try:
        ack_cert, cert = decode_certificate(value["ack_cert"]), decode_certificate(value["cert"])
        proof = _path(value["proof"])
        agency = _agency(value["mandate"]) if "mandate" in value else None
    except ValueError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    return Receipt(
        ballot=value["ballot"],
        leaf=parse_leaf(jcs.dumps(value["leaf"])),
        index=value["index"],
        proof=proof,
        ack=value["ack"],
        ack_cert=ack_cert,
        cert=cert,
        channel=value["channel"],
        block=value["block"],
        tx=value["tx"],
        signature=value["signature"],
        agency=agency,
    )


def _agency(value: Any) -> Agency:
    match value:
        case {"jws": str(mandate), "cert": str(cert), **rest} if not rest:
            return Agency(mandate, decode_certificate(cert))
    raise ValueError("mandate is no mandate with its certificate")


def _path(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_PATH:
        raise ValueError("proof is no list of hashes")
    if not all(isinstance(node, str) for node in value):
        raise ValueError("proof has something that is no hash")
    return tuple(base64url.decode(node, HASH_BYTES) for node in value)


def verify_receipt(
    receipt: Receipt, meeting: Meeting, *, lender_root: bytes | None = None, door_root: bytes | None = None
) -> None:
    """Refuse a receipt whose parts are not genuine or don't belong together.

    With the roots (DER) the certificates' issuers are verified too; without them the
    receipt shows only that the two keys in it signed. Says nothing about the channel's
    contents: inclusion is shown by blocks, acceptance by the tree head.
    """
    # 1. The ballot is well-formed, a legal answer in this meeting, and signed by its certificate.
    signed = parse_ballot(receipt.ballot)
    check_ballot_against(signed.ballot, meeting)
    _verify_signed(signed.jws, receipt.cert, lender_root)
    signer = _verify_agency(receipt.agency, signed.ballot, meeting, lender_root)
    if certificates.common_name(receipt.cert) != signer:
        raise Refused("CERT_SUBJECT")
    # 2. The leaf is the voter's, and on the frozen roll.
    if (receipt.leaf.mtg, receipt.leaf.sub) != (signed.ballot.mtg, signed.ballot.sub):
        raise Refused("ROLL_LEAF_FOREIGN")
    try:
        merkle.verify_path(
            receipt.leaf.hash(),
            index=receipt.index,
            size=meeting.roll.size,
            path=receipt.proof,
            root=meeting.roll.root,
        )
    except merkle.ProofError as error:
        raise Refused("ROLL_PROOF", str(error)) from error
    # 3. The door acknowledged this ballot in time.
    ack = parse_acknowledgement(receipt.ack)
    _verify_signed(ack.jws, receipt.ack_cert, door_root)
    ack.verify_for(signed)
    check_time(ack.ack.seconds, meeting)
    # 4. The same door says where the channel has it.
    inclusion = jws.parse(receipt.signature, TYP)
    if receipt.channel != meeting.channel or inclusion.payload != _payload(
        signed.digest, receipt.channel, receipt.block, receipt.tx
    ):
        raise Refused("RECEIPT_MISMATCH", "it is signed for another ballot, channel, block or transaction")
    _verify_signed(inclusion, receipt.ack_cert, door_root)


def _verify_agency(agency: Agency | None, ballot: Ballot, meeting: Meeting, lender_root: bytes | None) -> str:
    """Return the pseudonym that the signer's certificate must have: the voter's, or its proxy's."""
    if (agency is None) != (ballot.prx is None):
        raise Refused("RECEIPT_MISMATCH", "a mandate is due with a proxy's ballot, and only there")
    if agency is None:
        return ballot.sub
    signed = parse_mandate(agency.mandate)
    said = signed.mandate
    if (signed.digest, said.sub, said.mh, said.mtg) != (ballot.prx, ballot.sub, meeting.mh, meeting.mtg):
        raise Refused("RECEIPT_MISMATCH", "the mandate is another's, or for another ballot or meeting")
    _verify_signed(signed.jws, agency.cert, lender_root)
    if certificates.common_name(agency.cert) != said.sub:
        raise Refused("CERT_SUBJECT")
    check_agency(ballot, meeting, MandateRecord(signed, 0))
    return said.proxy


def _verify_signed(signed: jws.Jws, certificate: bytes, root: bytes | None) -> None:
    if signed.x5t != certificates.thumbprint(certificate):
        raise Refused("KEY_FOREIGN", "the header names another certificate")
    if root is not None:
        certificates.verify_issued(certificate, root)
    signed.verify(certificates.public_key(certificate))
