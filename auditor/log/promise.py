"""What a door promised: a version 1 receipt, read and verified by the auditor's own second implementation.

`client/encodings/receipt.py` is the platform's; both are held to tests/vectors/receipt.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, certificates, jcs, jws, merkle, times
from client.encodings.acknowledgement import SignedAcknowledgement, parse_acknowledgement
from client.encodings.amendment import parse_entitlement
from client.encodings.ballot import SignedBallot, check_ballot_against, parse_ballot
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_first, is_hex_hash
from client.encodings.leaf import Leaf, parse_leaf
from client.encodings.mandate import SignedMandate, parse_mandate
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from client.encodings.meeting import Meeting

TYP: Final = "concordat-receipt+jws"
_MAX_PATH: Final = 64
_TEXTS: Final = ("ballot", "ack", "channel", "tx", "signature")
_NAMES: Final = frozenset({*_TEXTS, "v", "ack_cert", "cert", "block"})
_BY_ROLL: Final = frozenset({"leaf", "index", "proof"})
_BY_AMENDMENT: Final = frozenset({"amended"})


@dataclass(frozen=True, slots=True)
class RollPlace:
    """The voter's leaf on the frozen roll, with its path to the root."""

    leaf: Leaf
    index: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A version 1 receipt's parts (docs/encodings.md, section 7); certificates are DER.

    Of a ballot that counted by an amendment there is no `place`: `amended` is the member that says so.
    """

    ballot: SignedBallot
    cert: bytes
    place: RollPlace | None
    amended: dict[str, Any] | None
    ack: SignedAcknowledgement
    ack_cert: bytes
    channel: str
    block: int
    tx: str
    signature: jws.Jws
    mandate: SignedMandate | None = None
    principal_cert: bytes = b""

    @property
    def digest(self) -> str:
        """The ballot's digest."""
        return self.ballot.digest

    @property
    def fen(self) -> int:
        """The sum of the claims that the receipt says the ballot counted with."""
        if self.amended is not None:
            return sum(claim["fen"] for claim in self.amended["after"]["claims"])
        return 0 if self.place is None else self.place.leaf.fen


def parse_promise(data: bytes) -> Promise:
    """Return the parts of a receipt's bytes, nothing verified yet; refuse with the receipt's codes."""
    try:
        value = jcs.loads(data)
    except jcs.JsonError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    if not isinstance(value, dict) or not is_first(value.get("v")):
        raise Refused("RECEIPT_FORMAT", "no object, or another version")
    amended = "amended" in value
    if value.keys() - {"mandate"} != _NAMES | (_BY_AMENDMENT if amended else _BY_ROLL):
        raise Refused("RECEIPT_FORMAT", "missing or unknown members")
    well_formed = is_count(value["block"]) and is_hex_hash(value["tx"])
    if not well_formed or not all(isinstance(value[name], str) for name in _TEXTS):
        raise Refused("RECEIPT_FORMAT", "a member of the wrong type")
    try:
        cert, ack_cert = decode_certificate(value["cert"]), decode_certificate(value["ack_cert"])
        place = None if amended else _place(value)
        if amended:
            _check_amended(value["amended"])
        mandate, principal_cert = _mandate(value["mandate"]) if "mandate" in value else (None, b"")
    except ValueError as error:
        raise Refused("RECEIPT_FORMAT", str(error)) from error
    return Promise(
        ballot=parse_ballot(value["ballot"]),
        cert=cert,
        place=place,
        amended=value["amended"] if amended else None,
        ack=parse_acknowledgement(value["ack"]),
        ack_cert=ack_cert,
        channel=value["channel"],
        block=value["block"],
        tx=value["tx"],
        signature=jws.parse(value["signature"], TYP),
        mandate=parse_mandate(mandate) if mandate is not None else None,
        principal_cert=principal_cert,
    )


def _place(value: dict[str, Any]) -> RollPlace:
    if not is_count(value["index"]):
        raise ValueError("index is no number")
    proof = hash_list(value["proof"])
    return RollPlace(parse_leaf(jcs.dumps(value["leaf"])), value["index"], proof)


def _check_amended(value: Any) -> None:
    """Raise ValueError for anything but an amendment's number, its digest and what it left of a lender."""
    if not isinstance(value, dict) or value.keys() != {"no", "digest", "after"}:
        raise ValueError("amended has other members than no, digest and after")
    if not is_count(value["no"]) or not isinstance(value["digest"], str):
        raise ValueError("amended: no or digest")
    base64url.decode(value["digest"], HASH_BYTES)
    try:
        parse_entitlement(value["after"])
    except Refused as refused:
        raise ValueError(refused.message) from refused


def _mandate(value: Any) -> tuple[str, bytes]:
    if not isinstance(value, dict) or value.keys() != {"jws", "cert"} or not isinstance(value["jws"], str):
        raise ValueError("mandate is no mandate with its certificate")
    return value["jws"], decode_certificate(value["cert"])


def hash_list(value: Any) -> tuple[bytes, ...]:
    """Return the hashes of a list in base64url; raise ValueError."""
    if not isinstance(value, list) or len(value) > _MAX_PATH or not all(isinstance(n, str) for n in value):
        raise ValueError("a path is a list of at most 64 hashes")
    return tuple(base64url.decode(node, HASH_BYTES) for node in value)


def verify_promise(
    promise: Promise, meeting: Meeting, *, lender_root: bytes | None = None, door_root: bytes | None = None
) -> None:
    """Refuse a receipt whose parts are not genuine or don't belong together, in the order of the document.

    Roots are DER; without them the receipt shows only that the two keys in it signed.
    """
    content = promise.ballot.ballot
    check_ballot_against(content, meeting)
    _verify_signature(promise.ballot.jws, promise.cert, lender_root)
    if certificates.common_name(promise.cert) != _signer(promise, meeting, lender_root):
        raise Refused("CERT_SUBJECT")
    if promise.place is not None:
        _verify_place(promise.place, promise.ballot, meeting)
    _verify_signature(promise.ack.jws, promise.ack_cert, door_root)
    promise.ack.verify_for(promise.ballot)
    _verify_in_time(promise.ack.ack.seconds, meeting)
    place: dict[str, Any] = {"v": 1, "digest": promise.digest}
    place |= {name: getattr(promise, name) for name in ("channel", "block", "tx")}
    place |= {} if promise.amended is None else {"amended": promise.amended}
    if promise.channel != meeting.channel or promise.signature.payload != jcs.dumps(place):
        raise Refused("RECEIPT_MISMATCH", "it is signed for another ballot, channel, block or transaction")
    _verify_signature(promise.signature, promise.ack_cert, door_root)


def _verify_place(place: RollPlace, signed: SignedBallot, meeting: Meeting) -> None:
    leaf, roll = place.leaf, meeting.roll
    if (leaf.mtg, leaf.sub) != (signed.ballot.mtg, signed.ballot.sub):
        raise Refused("ROLL_LEAF_FOREIGN")
    try:
        merkle.verify_path(leaf.hash(), index=place.index, size=roll.size, path=place.proof, root=roll.root)
    except merkle.ProofError as error:
        raise Refused("ROLL_PROOF", str(error)) from error


def _signer(promise: Promise, meeting: Meeting, lender_root: bytes | None) -> str:
    """Return who must have signed the ballot: the voter, or the proxy of a genuine mandate that covers it."""
    content, signed = promise.ballot.ballot, promise.mandate
    if signed is None or content.prx is None:
        if signed is None and content.prx is None:
            return content.sub
        raise Refused("RECEIPT_MISMATCH", "a mandate is due with a proxy's ballot, and only there")
    said = signed.mandate
    due = (content.prx, content.sub, meeting.mh, meeting.mtg)
    if (signed.digest, said.sub, said.mh, said.mtg) != due:
        raise Refused("RECEIPT_MISMATCH", "the mandate is another's, or for another ballot or meeting")
    _verify_signature(signed.jws, promise.principal_cert, lender_root)
    if certificates.common_name(promise.principal_cert) != said.sub:
        raise Refused("CERT_SUBJECT")
    answered = {motion for motion, vote in content.votes.items() if vote != ()}
    if not meeting.proxies or answered != {one.id for one in meeting.motions if said.covers(one.id)}:
        raise Refused("MANDATE_SCOPE")
    return said.proxy


def _verify_signature(signed: jws.Jws, certificate: bytes, root: bytes | None) -> None:
    if signed.x5t != certificates.thumbprint(certificate):
        raise Refused("KEY_FOREIGN", "the header names another certificate")
    if root is not None:
        certificates.verify_issued(certificate, root)
    signed.verify(certificates.public_key(certificate))


def _verify_in_time(acknowledged: int, meeting: Meeting) -> None:
    if acknowledged < times.parse(meeting.opens_at):
        raise Refused("BALLOT_EARLY")
    if acknowledged > times.parse(meeting.closes_at):
        raise Refused("BALLOT_LATE")
