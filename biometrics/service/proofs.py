"""Signed requests: who asks, proved by a key, for exactly this request, once.

Lenders sign with their enrolled key, officers with their organization's certificate. A proof is a
compact JWS of the form that all of Concordat's have (`client.encodings.jws`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.store.database import insert_once
from biometrics.store.models import UsedProof
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, hashes, ids, jcs, jws, times
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from biometrics.service.checker import SentFrame

REQUEST_TYPE: Final = "concordat-request+jws"
CHECK_TYPE: Final = "concordat-check+jws"
_BODY: Final = b"concordat/request-body/v1"
_CHUNK: Final = b"concordat/frames/v2"
_LONGEST: Final = 4096
_MOST_CHUNKS: Final = 10_000
_REQUEST_MEMBERS: Final = frozenset({"v", "method", "target", "body", "iat", "jti"})
_CHUNK_MEMBERS: Final = frozenset({"v", "ses", "nonce", "sub", "mtg", "chunk", "previous", "frames", "last"})


@dataclass(frozen=True, slots=True)
class RequestProof:
    """A signature over one HTTP request: method, target (path), body's digest, time, random id."""

    signed: jws.Jws
    method: str
    target: str
    body: str
    iat: int
    jti: str

    def accept(
        self, key: ec.EllipticCurvePublicKey, method: str, target: str, body: bytes, *, now: int, skew: int
    ) -> None:
        """Raise ServiceRefused (PROOF_INVALID, PROOF_STALE) unless `key` signed exactly this request."""
        _verify(self.signed, key)
        if (self.method, self.target, self.body) != (method, target, body_digest(body)):
            raise ServiceRefused("PROOF_INVALID", "signed for another request")
        if abs(now - self.iat) > skew:
            raise ServiceRefused("PROOF_STALE")


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """The bound key's signature over a check's nonce and one chunk of frames: the second factor.

    `previous` is the digest (`frames`) of the chunk before, empty for the first, so that frames can't be
    dropped, moved or taken from another check; `last` says that no more will come.
    """

    signed: jws.Jws
    ses: str
    nonce: str
    sub: str
    mtg: str
    chunk: int
    previous: str
    frames: str
    last: bool

    def verify(self, key: ec.EllipticCurvePublicKey) -> None:
        """Raise ServiceRefused (PROOF_INVALID) unless `key` signed it."""
        _verify(self.signed, key)


def parse_request_proof(text: str) -> RequestProof:
    """Read the proof of a request; raises ServiceRefused (PROOF_FORMAT)."""
    signed, value = _parse(text, REQUEST_TYPE, _REQUEST_MEMBERS)
    if not ids.is_random_id(value["jti"]) or not ids.is_hash(value["body"]):
        raise ServiceRefused("PROOF_FORMAT", "jti or body")
    if not isinstance(value["method"], str) or not isinstance(value["target"], str):
        raise ServiceRefused("PROOF_FORMAT", "method or target")
    if not times.is_time(value["iat"]):
        raise ServiceRefused("PROOF_FORMAT", "iat")
    return RequestProof(
        signed, value["method"], value["target"], value["body"], times.parse(value["iat"]), value["jti"]
    )


def parse_chunk_proof(text: str) -> ChunkProof:
    """Read the proof of a chunk; raises ServiceRefused (PROOF_FORMAT)."""
    signed, value = _parse(text, CHECK_TYPE, _CHUNK_MEMBERS, version=2)
    if not ids.is_random_id(value["ses"]) or not ids.is_random_id(value["sub"]):
        raise ServiceRefused("PROOF_FORMAT", "ses or sub")
    if not ids.is_hash(value["nonce"]) or not ids.is_hash(value["frames"]):
        raise ServiceRefused("PROOF_FORMAT", "nonce or frames")
    if not isinstance(value["mtg"], str) or type(value["last"]) is not bool:
        raise ServiceRefused("PROOF_FORMAT", "mtg or last")
    if type(value["chunk"]) is not int or not 0 <= value["chunk"] <= _MOST_CHUNKS:
        raise ServiceRefused("PROOF_FORMAT", "chunk")
    if value["previous"] != "" and not ids.is_hash(value["previous"]):
        raise ServiceRefused("PROOF_FORMAT", "previous")
    return ChunkProof(signed, **{name: value[name] for name in _CHUNK_MEMBERS - {"v"}})


def take(session: Session, proof: RequestProof, now: int) -> None:
    """Use a verified proof up; raises ServiceRefused (PROOF_REPLAYED) for one that was used before."""
    if not insert_once(session, UsedProof, {"jti": proof.jti, "used_at": now}):
        raise ServiceRefused("PROOF_REPLAYED")


def body_digest(body: bytes) -> str:
    """Return the digest of a request's body that its proof names."""
    return hashes.digest(_BODY, body)


def chunk_digest(nonce: str, chunk: int, previous: str, frames: Sequence[SentFrame]) -> str:
    """Return the digest that binds frames, times and order to a check's nonce and to all frames before."""
    listed = [[frame.at, base64url.encode(hashlib.sha256(frame.data).digest())] for frame in frames]
    value = {"nonce": nonce, "chunk": chunk, "previous": previous, "frames": listed}
    return hashes.digest(_CHUNK, jcs.dumps(value))


def key_thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the thumbprint of a public key that has no certificate yet: SHA-256 of its SPKI."""
    return base64url.encode(hashlib.sha256(spki(key)).digest())


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as SPKI in DER (RFC 5280 section 4.1)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_public_key(text: Any) -> ec.EllipticCurvePublicKey:
    """Read a P-256 public key (SPKI, DER, base64url); raises ServiceRefused (REQUEST_FORMAT)."""
    try:
        key = serialization.load_der_public_key(base64url.decode(text))
    except (ValueError, TypeError) as error:
        raise ServiceRefused("REQUEST_FORMAT", "public_key is no SPKI in base64url") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ServiceRefused("REQUEST_FORMAT", "public_key is not on P-256")
    return key


def sign_request(
    key: ec.EllipticCurvePrivateKey, x5t: str, method: str, target: str, body: bytes, *, now: int, jti: bytes
) -> str:
    """Return the proof of a request; `jti` is 16 random bytes. For clients."""
    payload = {
        "v": 1,
        "method": method,
        "target": target,
        "body": body_digest(body),
        "iat": times.form(now),
        "jti": base64url.encode(jti),
    }
    return jws.sign(REQUEST_TYPE, x5t, jcs.dumps(payload), key).compact


def sign_chunk(
    key: ec.EllipticCurvePrivateKey,
    x5t: str,
    *,
    ses: str,
    nonce: str,
    sub: str,
    mtg: str,
    frames: Sequence[SentFrame],
    chunk: int = 0,
    previous: str = "",
    last: bool = False,
) -> str:
    """Return the proof of a chunk. For clients."""
    payload = {
        "v": 2,
        "ses": ses,
        "nonce": nonce,
        "sub": sub,
        "mtg": mtg,
        "chunk": chunk,
        "previous": previous,
        "frames": chunk_digest(nonce, chunk, previous, frames),
        "last": last,
    }
    return jws.sign(CHECK_TYPE, x5t, jcs.dumps(payload), key).compact


def _parse(
    text: str, kind: str, members: frozenset[str], *, version: int = 1
) -> tuple[jws.Jws, dict[str, Any]]:
    if len(text) > _LONGEST:
        raise ServiceRefused("PROOF_FORMAT", "too long")
    try:
        signed = jws.parse(text, kind)
        value = jcs.loads(signed.payload)
    except (Refused, jcs.JsonError) as error:
        raise ServiceRefused("PROOF_FORMAT", getattr(error, "code", "payload")) from error
    if not isinstance(value, dict) or value.keys() != members or value["v"] != version:
        raise ServiceRefused("PROOF_FORMAT", "members")
    if jcs.dumps(value) != signed.payload:
        raise ServiceRefused("PROOF_FORMAT", "not canonical")
    return signed, value


def _verify(signed: jws.Jws, key: ec.EllipticCurvePublicKey) -> None:
    try:
        signed.verify(key)
    except Refused as error:
        raise ServiceRefused("PROOF_INVALID") from error
