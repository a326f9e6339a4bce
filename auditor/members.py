"""Members of the channel's organisations: certificate chains, roles and signatures (Fabric's MSP)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auditor import protobuf as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Fabric CA puts a certificate's attributes as JSON {"attrs": {...}} into this extension.
ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)
"""What the library raises for a certificate that it cannot read, when that comes to light."""


class NotAMember(Exception):  # noqa: N818  the callers turn it into a numbered step
    """An identity or a signature that no organisation of the channel vouches for."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """One MSP as the channel's configuration defines it."""

    msp_id: str
    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    revoked: frozenset[tuple[x509.Name, int]] = frozenset()  # issuer and serial number
    # role name -> organisational unit that stands for it; empty where NodeOUs are off
    units: tuple[tuple[str, str], ...] = ()


def parse_organisation(config: pb.Message) -> Organisation:
    """Read an organisation from its msp.FabricMSPConfig; raises ValueError where it is malformed.

    A revocation list counts where an authority of this organisation signed it, as in Fabric.
    """
    units: list[tuple[str, str]] = []
    if config.fabric_node_ous.enable:
        for role in ("client", "peer", "admin", "orderer"):
            name = getattr(config.fabric_node_ous, f"{role}_ou_identifier").organizational_unit_identifier
            units.append((role, name or role))
    try:
        roots = tuple(x509.load_pem_x509_certificate(one) for one in config.root_certs)
        intermediates = tuple(x509.load_pem_x509_certificate(one) for one in config.intermediate_certs)
        lists = [x509.load_pem_x509_crl(raw) for raw in config.revocation_list]
    except x509.InvalidVersion as error:  # which is no ValueError
        raise ValueError(str(error)) from error
    revoked = {
        (one.issuer, entry.serial_number)
        for one in lists
        if any(_issued(one, authority) for authority in (*roots, *intermediates))
        for entry in one
    }
    return Organisation(config.name, roots, intermediates, frozenset(revoked), tuple(units))


def authority_keys(config: pb.Message) -> frozenset[bytes]:
    """Return the public keys (DER) of an organisation's certificate authorities, from its FabricMSPConfig."""
    return frozenset(
        x509.load_pem_x509_certificate(one)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for one in (*config.root_certs, *config.intermediate_certs)
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A verified identity: its organisation, its certificate's key, its roles and attributes."""

    msp_id: str
    key: ec.EllipticCurvePublicKey
    roles: frozenset[str]
    attributes: Mapping[str, str]
    certificate: x509.Certificate

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise NotAMember unless `signature` is this member's low-S ECDSA over `message`."""
        verify_signature(self.key, message, signature)


@dataclass(frozen=True, slots=True)
class Membership:
    """All organisations of one channel configuration; identities are verified once a content."""

    organisations: Mapping[str, Organisation]
    _known: dict[bytes, Member] = field(default_factory=dict, repr=False, compare=False)

    def member(self, serialized: bytes) -> Member:
        """Return the verified member for a serialized identity; raises NotAMember."""
        digest = hashlib.sha256(serialized).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = self._readable(serialized)
        return known

    def _readable(self, serialized: bytes) -> Member:
        try:
            return self._verify(serialized)
        except UNREADABLE as error:
            # The library reads names, key and extensions of a certificate only when they are asked for.
            raise NotAMember(f"its certificate, or its issuer's, cannot be read: {error}") from error

    def _verify(self, serialized: bytes) -> Member:
        try:
            identity = pb.identities.SerializedIdentity.FromString(serialized)
            certificate = x509.load_pem_x509_certificate(identity.id_bytes)
        except (pb.DecodeError, ValueError) as error:
            raise NotAMember(f"it is not a serialized identity: {error}") from error
        organisation = self.organisations.get(identity.mspid)
        if organisation is None:
            raise NotAMember(f"{identity.mspid!r} is no organisation of the channel")
        _verify_chain(certificate, organisation)
        try:
            key = certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise NotAMember(f"the key of {_name(certificate)} cannot be read") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise NotAMember(f"the certificate of {_name(certificate)} carries no P-256 key")
        return Member(
            identity.mspid, key, _roles(certificate, organisation), _attributes(certificate), certificate
        )


def verify_signature(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> None:
    """Raise NotAMember unless `signature` is a DER, low-S ECDSA-SHA-256 signature by `key`.

    Fabric refuses the high half of `s` (bccsp/utils: IsLowS); a peer that accepted one lies.
    """
    try:
        _, s = decode_dss_signature(signature)
        if s > _ORDER // 2:
            raise NotAMember("the signature's s is in the high half")
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise NotAMember("the signature does not verify") from error


def _issued(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    return (
        crl.issuer == authority.subject
        and isinstance(key, ec.EllipticCurvePublicKey)
        and crl.is_signature_valid(key)
    )


def _verify_chain(certificate: x509.Certificate, organisation: Organisation) -> None:
    if _is_ca(certificate):
        raise NotAMember(f"{_name(certificate)} is a CA certificate, not a member's")
    if (certificate.issuer, certificate.serial_number) in organisation.revoked:
        raise NotAMember(f"the certificate of {_name(certificate)} is on the channel's revocation list")
    current = certificate
    for below in range(len(organisation.intermediates) + 1):
        if _issuer(current, organisation.roots, below) is not None:
            return
        above = _issuer(current, organisation.intermediates, below)
        if above is None:
            break
        current = above
    raise NotAMember(
        f"the certificate of {_name(certificate)} does not chain to {organisation.msp_id}'s root"
    )


def _issuer(
    certificate: x509.Certificate, candidates: Iterable[x509.Certificate], below: int
) -> x509.Certificate | None:
    """Return which of the candidates issued a certificate with `below` CAs between it and the member's."""
    for candidate in candidates:
        if candidate.subject != certificate.issuer or not _may_issue(candidate, below):
            continue
        # Fabric looks at the moment a certificate begins, so members' certificates never expire.
        begins = certificate.not_valid_before_utc
        if not candidate.not_valid_before_utc <= begins <= candidate.not_valid_after_utc:
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (InvalidSignature, TypeError, ValueError):
            continue
        return candidate
    return None


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    """Say whether a certificate is a CA's that may sign certificates, over so many CAs (as Go has it)."""
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        signs = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        signs = True
    deep = constraints.path_length is not None and below > constraints.path_length
    return constraints.ca and signs and not deep


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _roles(certificate: x509.Certificate, organisation: Organisation) -> frozenset[str]:
    names = {
        str(one.value)
        for one in certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    }
    return frozenset({"member"} | {role for role, unit in organisation.units if unit in names})


def _attributes(certificate: x509.Certificate) -> dict[str, str]:
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    if not isinstance(extension, x509.UnrecognizedExtension):
        return {}
    try:
        attributes = json.loads(extension.value)["attrs"]
        return {str(name): str(value) for name, value in attributes.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAMember(f"the attributes of {_name(certificate)} are malformed") from error


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
