"""X.509 by the names of `cryptography`, over `asn1crypto`: reading and verifying only."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1
from asn1crypto.keys import ECDomainParameters

from auditor.portable.curve import ECDSA, SHA256, EllipticCurvePublicKey, Encoding, InvalidSignature
from auditor.portable.der import strictly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_SHORT: Final = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")  # RFC 5758, section 3.2: no parameters


class InvalidVersion(ValueError):  # noqa: N818  the name of the library whose place it takes
    """A certificate of a version that there is none of."""


class DuplicateExtension(ValueError):  # noqa: N818  the name of the library whose place it takes
    """An extension that a certificate has twice."""


class ExtensionNotFound(Exception):  # noqa: N818  the name of the library whose place it takes
    """The certificate has no such extension."""


@dataclass(frozen=True, slots=True)
class ObjectIdentifier:
    """An object identifier in dotted form."""

    dotted_string: str


class NameOID:
    """The attributes of names that are looked at."""

    COMMON_NAME = ObjectIdentifier("2.5.4.3")
    ORGANIZATIONAL_UNIT_NAME = ObjectIdentifier("2.5.4.11")


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """One attribute of a name."""

    oid: ObjectIdentifier
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its relative names, each a set of attributes."""

    parts: tuple[frozenset[NameAttribute], ...]

    def get_attributes_for_oid(self, oid: ObjectIdentifier) -> list[NameAttribute]:
        """Return the attributes of one kind, in order."""
        return [one for part in self.parts for one in part if one.oid == oid]

    def rfc4514_string(self) -> str:
        """Return the name as RFC 4514 writes it, the last part first."""
        return ",".join("+".join(sorted(map(_rfc4514, part))) for part in reversed(self.parts))


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """Whether the certificate is a CA's, and how many CAs may be below it; None for any number."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """Whether the certificate's key may sign certificates."""

    key_cert_sign: bool


@dataclass(frozen=True, slots=True)
class UnrecognizedExtension:
    """An extension's bytes."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension."""

    value: BasicConstraints | KeyUsage | UnrecognizedExtension


def _constraints(data: bytes) -> BasicConstraints:
    value = strictly(asn1.BasicConstraints, data)
    return BasicConstraints(bool(value["ca"].native), value["path_len_constraint"].native)


def _usage(data: bytes) -> KeyUsage:
    return KeyUsage("key_cert_sign" in strictly(asn1.KeyUsage, data).native)


_READ: Final[dict[type, tuple[str, Callable[[bytes], BasicConstraints | KeyUsage]]]] = {
    BasicConstraints: ("2.5.29.19", _constraints),
    KeyUsage: ("2.5.29.15", _usage),
}


class Extensions:
    """A certificate's extensions; ValueError where one comes twice."""

    def __init__(self, certificate: asn1.Certificate) -> None:
        self._found: dict[str, bytes] = {}
        extensions = certificate["tbs_certificate"]["extensions"]
        for one in extensions if extensions.native is not None else ():
            if one["extn_id"].dotted in self._found:
                raise ValueError("an extension comes twice")
            self._found[one["extn_id"].dotted] = one["extn_value"].contents

    def get_extension_for_class(self, kind: type) -> Extension:
        """Return the basic constraints or the key usage; raise ExtensionNotFound."""
        oid, read = _READ[kind]
        if oid not in self._found:
            raise ExtensionNotFound
        return Extension(read(self._found[oid]))

    def get_extension_for_oid(self, oid: ObjectIdentifier) -> Extension:
        """Return an extension's bytes; raise ExtensionNotFound."""
        if oid.dotted_string not in self._found:
            raise ExtensionNotFound
        return Extension(UnrecognizedExtension(self._found[oid.dotted_string]))


class Certificate:
    """A certificate, read in full at once: ValueError for bytes that are none."""

    def __init__(self, der: bytes) -> None:
        self._der = der
        self._parsed = strictly(asn1.Certificate, der)
        tbs = self._parsed["tbs_certificate"]
        if tbs["version"].native not in ("v1", "v3"):
            raise InvalidVersion(f"version {tbs['version'].native}")
        info = tbs["subject_public_key_info"]
        if info.algorithm == "ec" and not isinstance(info["algorithm"]["parameters"], ECDomainParameters):
            raise ValueError("its key names no curve")
        self.subject, self.issuer = _name(tbs["subject"]), _name(tbs["issuer"])
        self.serial_number = int(tbs["serial_number"].native)
        self.not_valid_before_utc: datetime = tbs["validity"]["not_before"].native
        self.not_valid_after_utc: datetime = tbs["validity"]["not_after"].native

    def __eq__(self, other: object) -> bool:
        """Certificates are equal where their bytes are."""
        return isinstance(other, Certificate) and other._der == self._der

    def __hash__(self) -> int:
        """Hash the bytes."""
        return hash(self._der)

    @property
    def extensions(self) -> Extensions:
        """The extensions."""
        return Extensions(self._parsed)

    def public_key(self) -> EllipticCurvePublicKey | None:
        """Return the key; None for one that isn't on an elliptic curve."""
        info = self._parsed["tbs_certificate"]["subject_public_key_info"]
        return EllipticCurvePublicKey(info) if info.algorithm == "ec" else None

    def public_bytes(self, encoding: Encoding) -> bytes:
        """Return the certificate as DER or PEM."""
        if encoding is Encoding.DER:
            return self._der
        text = base64.b64encode(self._der).decode("ascii")
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()

    def verify_directly_issued_by(self, issuer: Certificate) -> None:
        """Raise ValueError for another issuer's name or algorithm, InvalidSignature for another's key."""
        tbs = self._parsed["tbs_certificate"]
        # Their bytes: names that differ in the kind of a string alone are two names to `cryptography`.
        if tbs["issuer"].dump() != issuer._parsed["tbs_certificate"]["subject"].dump():
            raise ValueError("the issuer has another name")
        key = issuer.public_key()
        if key is None or not _is_ecdsa_sha256(self._parsed["signature_algorithm"], tbs["signature"]):
            raise ValueError("it is not signed by ECDSA with SHA-256")
        key.verify(bytes(self._parsed["signature_value"]), tbs.dump(), ECDSA(SHA256()))


@dataclass(frozen=True, slots=True)
class RevokedCertificate:
    """One entry of a revocation list."""

    serial_number: int


class CertificateRevocationList:
    """A revocation list."""

    def __init__(self, der: bytes) -> None:
        self._parsed = strictly(asn1_crl.CertificateList, der)
        self.issuer = _name(self._parsed["tbs_cert_list"]["issuer"])

    def __iter__(self) -> Iterator[RevokedCertificate]:
        """Yield the entries."""
        revoked = self._parsed["tbs_cert_list"]["revoked_certificates"]
        for one in revoked if revoked.native is not None else ():
            yield RevokedCertificate(int(one["user_certificate"].native))

    def is_signature_valid(self, key: EllipticCurvePublicKey) -> bool:
        """Say whether a key signed the list."""
        listed = self._parsed["tbs_cert_list"]
        if not _is_ecdsa_sha256(self._parsed["signature_algorithm"], listed["signature"]):
            return False
        try:
            key.verify(bytes(self._parsed["signature"]), listed.dump(), ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def load_der_x509_certificate(data: bytes) -> Certificate:
    """Return a DER certificate; raise ValueError, or InvalidVersion."""
    return Certificate(data)


def load_pem_x509_certificate(data: bytes) -> Certificate:
    """Return the first certificate of a PEM text; raise ValueError."""
    return load_der_x509_certificate(_pem(data, b"CERTIFICATE"))


def load_pem_x509_crl(data: bytes) -> CertificateRevocationList:
    """Return the revocation list of a PEM text; raise ValueError."""
    return CertificateRevocationList(_pem(data, b"X509 CRL"))


def _pem(data: bytes, kind: bytes) -> bytes:
    found = re.search(b"-----BEGIN " + kind + rb"-----\s([A-Za-z0-9+/=\s]+)-----END " + kind + b"-----", data)
    if found is None:
        raise ValueError("it is no PEM")
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error as error:
        raise ValueError("it is no PEM") from error


def _is_ecdsa_sha256(*algorithms: Any) -> bool:
    """Say whether these, outside and inside of what is signed, are ECDSA with SHA-256 without parameters."""
    return all(one.dump() == _ECDSA_SHA256 for one in algorithms)


def _name(name: asn1.Name) -> Name:
    return Name(tuple(map(_attributes, name.chosen)))


def _attributes(part: Any) -> frozenset[NameAttribute]:
    listed = [NameAttribute(ObjectIdentifier(one["type"].dotted), str(one["value"].native)) for one in part]
    found = frozenset(listed)
    if not listed or len(found) != len(listed):
        raise ValueError("a part of a name is empty, or has an attribute twice")
    return found


def _rfc4514(attribute: NameAttribute) -> str:
    value = re.sub(r'([\\"+,;<>])', r"\\\1", attribute.value).replace("\0", "\\00")
    if value[:1] in ("#", " "):
        value = "\\" + value
    if value.endswith(" "):
        value = value[:-1] + "\\ "
    oid = attribute.oid.dotted_string
    return f"{_SHORT.get(oid, oid)}={value}"
