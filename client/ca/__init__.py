"""A client for Hyperledger Fabric CA: enrol, register, re-enrol, revoke, revocation lists."""

from client.ca.certificates import ATTRIBUTES_OID, certificate_attributes, certificate_id
from client.ca.client import CAClient
from client.ca.csr import build_csr
from client.ca.errors import (
    AlreadyRegistered,
    AlreadyRevoked,
    AuthenticationFailed,
    CABadResponse,
    CAError,
    CARejected,
    CATimeout,
    CAUnavailable,
    CAUntrusted,
    NotAuthorized,
    NotFound,
)
from client.ca.keys import generate_key, key_from_pem, key_to_pem
from client.ca.records import CAInfo, CertificateId, Enrollment, Revocation
from client.ca.registrar import REVOCATION_REASONS, Registrar

__all__ = [
    "ATTRIBUTES_OID",
    "REVOCATION_REASONS",
    "AlreadyRegistered",
    "AlreadyRevoked",
    "AuthenticationFailed",
    "CABadResponse",
    "CAClient",
    "CAError",
    "CAInfo",
    "CARejected",
    "CATimeout",
    "CAUnavailable",
    "CAUntrusted",
    "CertificateId",
    "Enrollment",
    "NotAuthorized",
    "NotFound",
    "Registrar",
    "Revocation",
    "build_csr",
    "certificate_attributes",
    "certificate_id",
    "generate_key",
    "key_from_pem",
    "key_to_pem",
]
