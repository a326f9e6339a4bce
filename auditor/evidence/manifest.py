"""The manifest: which files the package has, what they are about, and who vouches for handing them out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from auditor.evidence.errors import EvidenceRefused
from auditor.log import kinds
from auditor.members import UNREADABLE
from auditor.signer import SignerRefused, verify_auditor
from client.encodings import certificates, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_hash, is_hex_hash, is_meeting_id
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.log.head import HeadSigner
    from auditor.log.trust import TrustRoot
    from auditor.members import Organisation

TYP: Final = "concordat-evidence+jws"
KIND: Final = "concordat-evidence"
NAME: Final = "manifest.json"
MAX_CERTIFICATES: Final = 4

_NAMES: Final = (
    "mtg", "mh", "channel", "digest", "time", "heights", "state", "amendments", "stands", "files",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """What a package is about, and what the auditor says of it beyond what the files prove.

    `heights` are the numbers of blocks that the auditor had verified, by channel; `state` is the meeting's at
    that height, `amendments` how many its roll had, and `stands` says that no later ballot had replaced this
    one. `time` is the auditor's clock and proves nothing.
    """

    mtg: str
    mh: str
    channel: str
    digest: str
    time: str
    heights: Mapping[str, int]
    state: str
    amendments: int
    stands: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """A subject, and the SHA-256 (hex) and size in bytes of every other file."""

    subject: Subject
    files: Mapping[str, tuple[str, int]]

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        about = {name: getattr(self.subject, name) for name in Subject.__slots__}
        listed = [
            {"name": name, "sha256": digest, "size": size} for name, (digest, size) in self.files.items()
        ]
        return jcs.dumps({"v": 1, **about, "heights": dict(self.subject.heights), "files": listed})


def sign_manifest(subject: Subject, files: Mapping[str, bytes], signer: HeadSigner) -> bytes:
    """Return the manifest's file for the other `files`, which come in the order of their names."""
    listed = {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())}
    x5t = certificates.thumbprint(signer.certificates[0])
    signed = jws.sign(TYP, x5t, Manifest(subject, listed).payload(), signer.key)
    chain = [base64.b64encode(one).decode("ascii") for one in signer.certificates]
    return jcs.dumps({"v": 1, "type": KIND, "manifest": signed.compact, "certificates": chain})


def verify_manifest(files: Mapping[str, bytes], trust: TrustRoot) -> Manifest:
    """Return the manifest that the Regulator's auditor signed over exactly these files.

    Refuse with EVIDENCE_MANIFEST, EVIDENCE_SIGNER, EVIDENCE_ROLE, EVIDENCE_SIGNATURE, EVIDENCE_FILES or
    EVIDENCE_FILE.
    """
    if next(iter(files)) != NAME:
        raise EvidenceRefused("EVIDENCE_FILES", f"the first file is not {NAME}")
    signed, chain = _parse_file(files[NAME])
    manifest = _parse_payload(signed.payload)
    try:
        parsed = [x509.load_der_x509_certificate(one) for one in chain]
    except UNREADABLE as error:
        raise EvidenceRefused("EVIDENCE_SIGNER", "not DER X.509") from error
    _verify_signer(signed, chain, trust.regulator(parsed))
    _verify_files(files, manifest)
    return manifest


def verify_still_signer(files: Mapping[str, bytes], regulator: Organisation) -> None:
    """Refuse a manifest whose signer the channel's last configuration doesn't have, or has revoked.

    The manifest is younger than every block of the package, so that the last of them says who may sign it.
    Refuse with EVIDENCE_SIGNER.
    """
    _verify_signer(*_parse_file(files[NAME]), regulator)


def _verify_signer(signed: jws.Jws, chain: list[bytes], regulator: Organisation) -> None:
    try:
        verify_auditor(signed, chain, regulator)
    except SignerRefused as error:
        values = f"expected {error.expected}, found {error.found}" if error.expected else ""
        said = "; ".join(part for part in (error.detail, values) if part)
        raise EvidenceRefused(f"EVIDENCE_{error.fault.upper()}", said) from error


def _verify_files(files: Mapping[str, bytes], manifest: Manifest) -> None:
    there = list(files)[1:]
    for name in sorted({*there} ^ {*manifest.files}):
        raise EvidenceRefused(
            "EVIDENCE_FILES", f"{name} is {'missing' if name in manifest.files else 'extra'}"
        )
    if there != list(manifest.files):
        raise EvidenceRefused("EVIDENCE_FILES", "they are in another order")
    for name, (digest, size) in manifest.files.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if (found, len(files[name])) != (digest, size):
            raise EvidenceRefused("EVIDENCE_FILE", f"{name}: expected {digest}, found {found}")


def _parse_file(data: bytes) -> tuple[jws.Jws, list[bytes]]:
    try:
        value = kinds.members(data, KIND, "manifest", "certificates")
        compact, chain = value["manifest"], value["certificates"]
        if jcs.dumps(value) != data or not isinstance(compact, str) or not isinstance(chain, list):
            raise ValueError("it is not canonical, or a member is of the wrong type")  # noqa: TRY301  one error for every wrong form
        if not 0 < len(chain) <= MAX_CERTIFICATES:
            raise ValueError(f"{len(chain)} certificates")  # noqa: TRY301  one error for every wrong form
        return jws.parse(compact, TYP), [decode_certificate(one) for one in chain]
    except (Refused, ValueError) as error:
        raise EvidenceRefused("EVIDENCE_MANIFEST", str(error)) from error


def _parse_payload(payload: bytes) -> Manifest:
    try:
        value = jcs.loads_canonical(payload)
    except jcs.JsonError as error:
        raise EvidenceRefused("EVIDENCE_MANIFEST", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise EvidenceRefused("EVIDENCE_MANIFEST", "missing or unknown members")
    heights, listed = value["heights"], value["files"]
    checks = {
        "v": type(value["v"]) is int and value["v"] == 1,
        "mtg": is_meeting_id(value["mtg"]),
        "mh": is_hash(value["mh"]),
        "channel": isinstance(value["channel"], str),
        "digest": is_hash(value["digest"]),
        "time": times.is_time(value["time"]),
        "heights": isinstance(heights, dict) and all(map(is_count, heights.values())),
        "state": isinstance(value["state"], str),
        "amendments": is_count(value["amendments"]),
        "stands": isinstance(value["stands"], bool),
        "files": isinstance(listed, list) and all(map(_is_listed, listed)),
    }
    for name, good in checks.items():
        if not good:
            raise EvidenceRefused("EVIDENCE_MANIFEST", name)
    names = [one["name"] for one in listed]
    if names != sorted(set(names)):
        raise EvidenceRefused("EVIDENCE_MANIFEST", "files are out of order, or one comes twice")
    subject = Subject(**{name: value[name] for name in Subject.__slots__})
    return Manifest(subject, {one["name"]: (one["sha256"], one["size"]) for one in listed})


def _is_listed(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"name", "sha256", "size"}
        and isinstance(value["name"], str)
        and is_hex_hash(value["sha256"])
        and is_count(value["size"])
    )
