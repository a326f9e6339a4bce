"""The report's detached signature: one over its three formats, by the auditor who signs tree heads."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from auditor.log import kinds
from auditor.members import UNREADABLE
from auditor.reporting.errors import ReportRefused
from auditor.signer import SignerRefused, verify_auditor
from client.encodings import certificates, jcs, jws
from client.encodings.errors import Refused
from client.encodings.ids import is_first, is_hex_hash
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.log.head import HeadSigner
    from auditor.log.trust import TrustRoot
    from auditor.reporting.document import Report

TYP: Final = "concordat-report+jws"
KIND: Final = "concordat-report-signature"
_NAMES: Final = frozenset({"v", "mtg", "mh", "verdict", "genesis", "blocks", "heads", "files"})


class _Seal:
    """What only `verify_signed` holds."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class VerifiedReport:
    """A report's file as the Regulator's auditor signed it. Only `verify_signed` makes one.

    `format` is json, html or pdf; `statement` what was signed: meeting, verdict, blocks, and the SHA-256
    (hex) of each format.
    """

    format: str
    statement: Mapping[str, Any]
    seal: _Seal

    def __post_init__(self) -> None:
        """Refuse to exist without the verifier's seal."""
        if self.seal is not _SEAL:
            raise TypeError("only verify_signed makes a VerifiedReport")


def sign_report(report: Report, files: Mapping[str, bytes], signer: HeadSigner) -> bytes:
    """Return the signature's file: `files` are the report's bytes by format (json, html, pdf)."""
    value = report.value
    statement = {
        "v": 1,
        "mtg": value["meeting"],
        "mh": value["mh"],
        "verdict": value["verdict"],
        "genesis": value["genesis"],
        "blocks": value["blocks"],
        "heads": value["heads"],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    signed = jws.sign(TYP, certificates.thumbprint(signer.certificates[0]), jcs.dumps(statement), signer.key)
    chain = [base64.b64encode(one).decode("ascii") for one in signer.certificates]
    return jcs.dumps({"v": 1, "type": KIND, "signature": signed.compact, "certificates": chain})


def verify_signed(data: bytes, signature: bytes, trust: TrustRoot) -> VerifiedReport:
    """Return the report's file as verified: signed by the trusted Regulator's auditor, on trusted networks.

    Refuse, in this order, with REPORT_FORMAT, REPORT_SIGNER, REPORT_ROLE, REPORT_SIGNATURE, REPORT_NETWORK,
    REPORT_ALTERED.
    """
    signed, chain = _parse(signature)
    try:
        loaded = [x509.load_der_x509_certificate(one) for one in chain]
    except UNREADABLE as error:
        raise ReportRefused("REPORT_SIGNER", "not DER X.509") from error
    try:
        verify_auditor(signed, chain, trust.regulator(loaded))
    except SignerRefused as error:
        raise ReportRefused(
            f"REPORT_{error.fault.upper()}", error.detail, expected=error.expected, found=error.found
        ) from error
    statement = _statement(signed.payload)
    for channel, genesis in statement["genesis"].items():
        trusted = trust.genesis.get(channel)
        if trusted != genesis:
            raise ReportRefused("REPORT_NETWORK", channel, expected=trusted, found=genesis)
    digest = hashlib.sha256(data).hexdigest()
    for name, expected in statement["files"].items():
        if expected == digest:
            return VerifiedReport(name, statement, _SEAL)
    raise ReportRefused("REPORT_ALTERED", expected=" or ".join(statement["files"].values()), found=digest)


def _parse(signature: bytes) -> tuple[jws.Jws, list[bytes]]:
    try:
        value = kinds.members(signature, KIND, "signature", "certificates")
        chain = [decode_certificate(one) for one in value["certificates"]]
        signed = jws.parse(value["signature"], TYP)
    except (Refused, ValueError, TypeError, AttributeError) as error:
        raise ReportRefused("REPORT_FORMAT", str(error)) from error
    if not chain:
        raise ReportRefused("REPORT_FORMAT", "no certificate")
    return signed, chain


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        value = jcs.loads_canonical(payload)
    except jcs.JsonError as error:
        raise ReportRefused("REPORT_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != _NAMES or not is_first(value["v"]):
        raise ReportRefused("REPORT_FORMAT", "missing or unknown members")
    files, genesis = value["files"], value["genesis"]
    if not isinstance(genesis, dict) or not genesis or not all(map(is_hex_hash, genesis.values())):
        raise ReportRefused("REPORT_FORMAT", "genesis")
    if not isinstance(files, dict) or not files or not all(map(is_hex_hash, files.values())):
        raise ReportRefused("REPORT_FORMAT", "files")
    return value
