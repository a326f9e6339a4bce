"""Signed tree heads: the Regulator's word on how far the log went, and over which block."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from auditor.errors import AuditUnavailable
from auditor.log import kinds
from auditor.log.errors import LogRefused
from auditor.log.tree import EMPTY_ROOT
from auditor.members import UNREADABLE
from auditor.signer import SignerRefused, verify_auditor
from client.encodings import base64url, certificates, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_hash, is_hex_hash, is_meeting_id
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.members import Organisation

TYP: Final = "concordat-head+jws"
MAX_CERTIFICATES: Final = 4

_NAMES: Final = ("mtg", "mh", "channel", "size", "root", "block", "block_hash", "time")


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a head says: the log of meeting `mtg` had `size` leaves and `root` when the channel's last
    verified block was `block`, whose header's hash is `block_hash` (hex).
    """  # noqa: D205  one sentence

    mtg: str
    mh: str
    channel: str
    size: int
    root: bytes
    block: int
    block_hash: str
    time: str

    def __post_init__(self) -> None:
        """Refuse (HEAD_FORMAT) what no head may hold."""
        checks = {
            "mtg": is_meeting_id(self.mtg),
            "mh": is_hash(self.mh),
            "channel": isinstance(self.channel, str) and self.channel.startswith("arbitration-"),
            "size": is_count(self.size),
            "root": len(self.root) == HASH_BYTES and (self.size != 0 or self.root == EMPTY_ROOT),
            "block": is_count(self.block),
            "block_hash": is_hex_hash(self.block_hash),
            "time": times.is_time(self.time),
        }
        for name, good in checks.items():
            if not good:
                raise LogRefused("HEAD_FORMAT", name)

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return jcs.dumps({"v": 1} | self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return the members, without the version."""
        return {name: getattr(self, name) for name in _NAMES} | {"root": base64url.encode(self.root)}

    def verify_meeting(self, *, mtg: str, mh: str, channel: str) -> None:
        """Refuse (HEAD_MEETING) a head of another meeting, record or channel."""
        wanted, found = (mtg, mh, channel), (self.mtg, self.mh, self.channel)
        if wanted != found:
            raise LogRefused("HEAD_MEETING", expected=" ".join(wanted), found=" ".join(found))


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head, its JWS, and certificates (DER): the signer's first, then its CA's up to the root."""

    head: TreeHead
    jws: jws.Jws
    certificates: tuple[bytes, ...]

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def certificates_json(self) -> list[str]:
        """Return the certificates in base64."""
        return [base64.b64encode(one).decode("ascii") for one in self.certificates]

    def encode(self) -> bytes:
        """Return the head's file: everything that a stranger with the trust root needs to verify it."""
        return jcs.dumps(
            {"v": 1, "type": kinds.HEAD, "head": self.compact, "certificates": self.certificates_json()}
        )

    def load_certificates(self) -> list[x509.Certificate]:
        """Return the certificates parsed; refuse with HEAD_SIGNER."""
        try:
            return [x509.load_der_x509_certificate(one) for one in self.certificates]
        except UNREADABLE as error:
            raise LogRefused("HEAD_SIGNER", "not DER X.509") from error


class _Seal:
    """What only `verify_head` holds."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class VerifiedHead:
    """A head that the Regulator's auditor signed. Only `verify_head` makes one."""

    head: TreeHead
    signed: SignedHead
    seal: _Seal

    def __post_init__(self) -> None:
        """Refuse to exist without the verifier's seal."""
        if self.seal is not _SEAL:
            raise TypeError("only verify_head makes a VerifiedHead")


@dataclass(frozen=True, slots=True)
class HeadSigner:
    """The auditor's key and its certificates (DER), its own first and the CA's root last."""

    key: ec.EllipticCurvePrivateKey
    certificates: tuple[bytes, ...]

    @classmethod
    def load(cls, key: bytes, chain: Sequence[bytes]) -> HeadSigner:
        """Return the signer of a PKCS #8 key and certificates, all PEM; AuditUnavailable for another key."""
        loaded = load_pem_private_key(key, None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or not isinstance(loaded.curve, ec.SECP256R1):
            raise AuditUnavailable("the auditor's key is no P-256 key; enrol the auditor again")
        return cls(
            loaded, tuple(x509.load_pem_x509_certificate(one).public_bytes(Encoding.DER) for one in chain)
        )

    def sign(self, head: TreeHead) -> SignedHead:
        """Return the head signed."""
        x5t = certificates.thumbprint(self.certificates[0])
        return SignedHead(head, jws.sign(TYP, x5t, head.payload(), self.key), self.certificates)


def parse_head(compact: str, chain: Sequence[bytes]) -> SignedHead:
    """Return the head of a compact JWS, nothing verified yet; refuse with HEAD_FORMAT."""
    try:
        signed = jws.parse(compact, TYP)
        value = jcs.loads_canonical(signed.payload)
    except (Refused, jcs.JsonError) as error:
        raise LogRefused("HEAD_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise LogRefused("HEAD_FORMAT", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != 1 or not is_hash(value["root"]):
        raise LogRefused("HEAD_FORMAT", "v or root")
    if not 0 < len(chain) <= MAX_CERTIFICATES:
        raise LogRefused("HEAD_FORMAT", f"{len(chain)} certificates")
    members = {name: value[name] for name in _NAMES} | {"root": base64url.decode(value["root"], HASH_BYTES)}
    return SignedHead(TreeHead(**members), signed, tuple(chain))


def parse_head_file(data: bytes) -> SignedHead:
    """Return the head of a file's bytes (any JSON form), nothing verified yet; refuse with HEAD_FORMAT."""
    try:
        value = kinds.members(data, kinds.HEAD, "head", "certificates")
    except ValueError as error:
        raise LogRefused("HEAD_FORMAT", str(error)) from error
    return head_from_json(value["head"], value["certificates"])


def head_from_json(compact: Any, chain: Any) -> SignedHead:
    """Return the head of a JSON document's two members; refuse with HEAD_FORMAT."""
    if not isinstance(compact, str) or not isinstance(chain, list):
        raise LogRefused("HEAD_FORMAT", "head or certificates")
    try:
        return parse_head(compact, [decode_certificate(one) for one in chain])
    except ValueError as error:
        raise LogRefused("HEAD_FORMAT", f"certificates: {error}") from error


def verify_head(signed: SignedHead, regulator: Organisation) -> VerifiedHead:
    """Return the head if the Regulator's auditor signed it: the CA of its organisation vouches for the
    certificate, whose attribute `role` is `auditor`, as docs/authority.md asks for AnchorAudit.

    Refuse with HEAD_SIGNER, HEAD_ROLE or HEAD_SIGNATURE.
    """  # noqa: D205  one sentence
    try:
        verify_auditor(signed.jws, signed.certificates, regulator)
    except SignerRefused as error:
        said = signed.head.mtg if error.fault == "signature" else error.detail
        raise LogRefused(
            f"HEAD_{error.fault.upper()}", said, expected=error.expected, found=error.found
        ) from error
    return VerifiedHead(signed.head, signed, _SEAL)
