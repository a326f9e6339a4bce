"""Receipts: everything a lender needs to show later that a ballot was taken and recorded."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, certificates, jcs, jws, merkle
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.agency import check_agency
from client.encodings.amendment import Entitlement, parse_entitlement
from client.encodings.ballot import check_ballot_against, parse_ballot
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_first, is_hex_hash
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
class OnRoll:
    """What the frozen roll has of the voter: the leaf with its whole path to the root."""

    leaf: Leaf
    index: int
    proof: tuple[bytes, ...]

    @property
    def fen(self) -> int:
        """The sum of the claims."""
        return self.leaf.fen

    def as_json(self) -> dict[str, Any]:
        """Return its members of the receipt."""
        proof = [base64url.encode(node) for node in self.proof]
        return {"leaf": self.leaf.as_json(), "index": self.index, "proof": proof}


@dataclass(frozen=True, slots=True)
class AmendedClaims:
    """What the ballot counted by where a confirmed amendment named the voter: its number, digest, and claims.

    The door's word; the amendment itself, which names other lenders too, is on the channel.
    """

    no: int
    digest: str
    after: Entitlement

    @property
    def fen(self) -> int:
        """The sum of the claims."""
        return sum(claim.fen for claim in self.after.claims)

    def as_json(self) -> dict[str, Any]:
        """Return its member of the receipt."""
        return {"amended": {"no": self.no, "digest": self.digest, "after": self.after.as_json()}}


Basis = OnRoll | AmendedClaims


@dataclass(frozen=True, slots=True)
class Receipt:
    """A ballot with what it counted by, its acknowledgement, and where the channel has it.

    `ballot`, `ack` and `signature` are compact JWS; `cert` (the signer's) and `ack_cert`
    (the door's) DER; `tx` the hex transaction id. The door's key signs `signature`.
    `agency` is there where a proxy signed.
    """

    ballot: str
    basis: Basis
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
        value = {"v": 1, "ballot": self.ballot} | self.basis.as_json()
        value |= {
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
    digest: str,
    *,
    channel: str,
    block: int,
    tx: str,
    x5t: str,
    key: EllipticCurvePrivateKey,
    basis: Basis | None = None,
) -> str:
    """Return the door's signed word that the ballot `digest` is in `block` of `channel` by `tx`.

    Where it counted by an amendment, that is part of the word.
    """
    return jws.sign(TYP, x5t, _payload(digest, channel, block, tx, basis), key).compact


def _payload(digest: str, channel: str, block: int, tx: str, basis: Basis | None) -> bytes:
    amended = basis.as_json() if isinstance(basis, AmendedClaims) else {}
    return jcs.dumps({"v": 1, "digest": digest, "channel": channel, "block": block, "tx": tx} | amended)


_STRINGS: Final = ("ballot", "ack", "channel", "tx", "signature")


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt of a file's bytes (any JSON form); refuse with RECEIPT_FORMAT or ROLL_LEAF."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    names = {*_STRINGS, "v", "ack_cert", "cert", "block"}
    bases = ({"leaf", "index", "proof"}, {"amended"})
    if (
        not isinstance(value, dict)
        or value.keys() - {"mandate"} not in [names | basis for basis in bases]
        or not is_first(value["v"])
    ):
        raise Refused("RECEIPT_FORMAT", "missing or unknown members, or another version")
    for name in _STRINGS:
        if not isinstance(value[name], str):
            raise Refused("RECEIPT_FORMAT", name)
    if not is_count(value["block"]) or not is_hex_hash(value["tx"]):
        raise Refused("RECEIPT_FORMAT", "block or tx")
    try:
        ack_cert, cert = decode_certificate(value["ack_cert"]), decode_certificate(value["cert"])
        basis = _amended(value["amended"]) if "amended" in value else _on_roll(value)
        agency = _agency(value["mandate"]) if "mandate" in value else None
    except ValueError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    return Receipt(
        ballot=value["ballot"],
        basis=basis,
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


def _on_roll(value: dict[str, Any]) -> OnRoll:
    if not is_count(value["index"]):
        raise ValueError("index is no number")
    proof = _path(value["proof"])
    return OnRoll(parse_leaf(jcs.dumps(value["leaf"])), value["index"], proof)


def _amended(value: Any) -> AmendedClaims:
    match value:
        case {"no": int(no), "digest": str(digest), "after": dict(after), **rest} if not rest and is_count(
            no
        ):
            base64url.decode(digest, HASH_BYTES)
            try:
                return AmendedClaims(no, digest, parse_entitlement(after))
            except Refused as error:
                raise ValueError(error.message) from error
    raise ValueError("amended is not the number and digest of an amendment with what it left")


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
    # 2. The leaf is the voter's, and on the frozen roll. An amendment is the door's word (4).
    if isinstance(receipt.basis, OnRoll):
        _verify_on_roll(receipt.basis, signed.ballot, meeting)
    # 3. The door acknowledged this ballot in time.
    ack = parse_acknowledgement(receipt.ack)
    _verify_signed(ack.jws, receipt.ack_cert, door_root)
    ack.verify_for(signed)
    check_time(ack.ack.seconds, meeting)
    # 4. The same door says where the channel has it.
    inclusion = jws.parse(receipt.signature, TYP)
    if receipt.channel != meeting.channel or inclusion.payload != _payload(
        signed.digest, receipt.channel, receipt.block, receipt.tx, receipt.basis
    ):
        raise Refused("RECEIPT_MISMATCH", "it is signed for another ballot, channel, block or transaction")
    _verify_signed(inclusion, receipt.ack_cert, door_root)


def _verify_on_roll(basis: OnRoll, ballot: Ballot, meeting: Meeting) -> None:
    if (basis.leaf.mtg, basis.leaf.sub) != (ballot.mtg, ballot.sub):
        raise Refused("ROLL_LEAF_FOREIGN")
    try:
        merkle.verify_path(
            basis.leaf.hash(),
            index=basis.index,
            size=meeting.roll.size,
            path=basis.proof,
            root=meeting.roll.root,
        )
    except merkle.ProofError as error:
        raise Refused("ROLL_PROOF", str(error)) from error


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
