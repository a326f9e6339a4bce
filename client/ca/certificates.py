"""What a certificate says by itself: Fabric CA's attributes of its holder, and its name at the CA."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from cryptography import x509

from client.ca.records import CertificateId

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTRIBUTES_OID: Final = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
"""The extension's identifier, as `lib/attrmgr` in Fabric CA and `cid` in Fabric's shims use it."""


def certificate_attributes(certificate: x509.Certificate | bytes) -> Mapping[str, str]:
    """Return the attributes that the issuing CA wrote into a certificate (PEM if bytes).

    Empty when the extension is absent. Says nothing of who issued the certificate: verify
    its chain first. Raises `ValueError` when the extension is not Fabric CA's JSON.
    """
    try:
        extension = _loaded(certificate).extensions.get_extension_for_oid(ATTRIBUTES_OID).value
    except x509.ExtensionNotFound:
        return {}
    if not isinstance(extension, x509.UnrecognizedExtension):
        raise TypeError("the attributes extension is not an opaque value")
    try:
        document = json.loads(extension.value)
    except ValueError as error:
        raise ValueError("the certificate's attributes extension is not JSON") from error
    attributes = document.get("attrs") if isinstance(document, dict) else None
    if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
        raise ValueError("the certificate's attributes extension has no table of attributes")
    return attributes


def certificate_id(certificate: x509.Certificate | bytes) -> CertificateId:
    """Return what `Registrar.revoke` takes to revoke this certificate (PEM if bytes).

    Raises `ValueError` for a certificate without an authority key id, which no Fabric CA issued.
    """
    loaded = _loaded(certificate)
    try:
        authority = loaded.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound as error:
        raise ValueError("the certificate has no authority key id: no Fabric CA issued it") from error
    aki = (authority.key_identifier or b"").hex()
    # The server keeps both without leading zeros.
    return CertificateId(serial=f"{loaded.serial_number:x}", aki=aki.lstrip("0"))


def _loaded(certificate: x509.Certificate | bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate) if isinstance(certificate, bytes) else certificate
