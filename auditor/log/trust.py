"""What somebody offline trusts beforehand: the networks' genesis hashes and the Regulator's CA."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding

from auditor.errors import AuditUnavailable
from auditor.log import kinds
from auditor.log.errors import LogRefused
from auditor.members import Organisation
from auditor.replay.authority import Offices
from client.encodings.ids import is_hex_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography import x509

    from client.encodings.meeting import Meeting

FILE_NAME: Final = "trust.json"
"""The pinned file's name in the home folder."""


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """Genesis hashes (hex) by channel, and fingerprints of the Regulator's CA roots.

    A fingerprint is the SHA-256 of the root certificate's DER, in hex.
    """

    genesis: Mapping[str, str]
    regulator_ca: frozenset[str]

    def as_json(self) -> dict[str, object]:
        """Return the file's value."""
        return {
            "v": 1,
            "type": kinds.TRUST,
            "genesis": dict(self.genesis),
            "regulator_ca": sorted(self.regulator_ca),
        }

    def regulator(self, certificates: Iterable[x509.Certificate]) -> Organisation:
        """Return the Regulator's organisation: those of the certificates that are trusted are its roots.

        What is neither trusted nor the signer's own may only be an intermediate CA's. Who is revoked is
        not known offline.
        """
        given = list(certificates)
        roots = tuple(one for one in given if fingerprint(one) in self.regulator_ca)
        others = tuple(one for one in given if one not in roots)
        return Organisation(Offices().regulator, roots, others)

    def verify_meeting(self, meeting: Meeting) -> None:
        """Refuse (TRUST_GENESIS) a meeting whose record names another network than the trusted ones."""
        for channel, genesis in meeting.genesis.items():
            if self.genesis.get(channel) != genesis:
                expected = self.genesis.get(channel, "none")
                raise LogRefused("TRUST_GENESIS", channel, expected=expected, found=genesis)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER, in hex."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def parse_trust(data: bytes, name: str) -> TrustRoot:
    """Return the trust root of a file's bytes (any JSON form); raises AuditUnavailable, naming the file."""
    try:
        value = kinds.members(data, kinds.TRUST, "genesis", "regulator_ca")
    except ValueError as error:
        raise AuditUnavailable(f"{name} is no trust file: {error}") from error
    genesis, roots = value["genesis"], value["regulator_ca"]
    if not isinstance(genesis, dict) or not genesis or not all(map(is_hex_hash, genesis.values())):
        raise AuditUnavailable(f"{name} is no trust file: genesis has to map channels to hashes in hex")
    if not isinstance(roots, list) or not roots or not all(map(is_hex_hash, roots)):
        raise AuditUnavailable(f"{name} is no trust file: regulator_ca has to list fingerprints in hex")
    return TrustRoot(genesis, frozenset(roots))
