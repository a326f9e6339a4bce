"""An institution's lender CA on `identity`: proposed by its officer, confirmed by the Regulator's."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client.encodings import certificates, jcs
from client.platform.chain import commit

if TYPE_CHECKING:
    from client.platform.chain import Committed, Contract


def to_der(pem: bytes) -> bytes:
    """Return the DER of the first certificate in PEM bytes."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def propose_issuer(officer: Contract, institution: str, certificate: bytes) -> str:
    """Propose a lender CA's certificate (DER) as the institution's officer; return its thumbprint."""
    document = {
        "v": 1,
        "institution": institution,
        "certificate": base64.b64encode(certificate).decode("ascii"),
    }
    commit(officer, "ProposeIssuer", jcs.dumps(document))
    return certificates.thumbprint(certificate)


def confirm_issuer(regulator: Contract, institution: str, x5t: str) -> Committed:
    """Confirm exactly the certificate with this thumbprint, as the Regulator's officer."""
    return commit(regulator, "ConfirmIssuer", institution, x5t)


def register_issuer(officer: Contract, regulator: Contract, institution: str, certificate: bytes) -> str:
    """Do both steps unless the very certificate is confirmed already; return its thumbprint."""
    x5t = certificates.thumbprint(certificate)
    if _confirmed(officer, institution) != x5t:
        propose_issuer(officer, institution, certificate)
        confirm_issuer(regulator, institution, x5t)
    return x5t


def _confirmed(contract: Contract, institution: str) -> str | None:
    from client.gateway.errors import EvaluateError  # noqa: PLC0415  gRPC is loaded where it is used

    try:
        record = json.loads(contract.evaluate("GetIssuer", institution) or b"null")
    except EvaluateError as error:
        if any("ISSUER_NOT_FOUND" in message for message in error.chaincode_messages):
            return None
        raise
    return record["x5t"] if record and record.get("status") == "confirmed" else None
