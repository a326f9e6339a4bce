"""Keys, and the attributes that a Fabric CA writes into certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from client import ca
from client.ca.keys import sign_low_s
from tests.unit.ca.test_requests import certificate


def with_extension(value: bytes | None) -> bytes:
    return certificate(ca.generate_key().public_key(), value)


def test_attributes_are_read() -> None:
    pem = with_extension(b'{"attrs":{"role":"officer","hf.Type":"client"}}')
    assert ca.certificate_attributes(pem) == {"role": "officer", "hf.Type": "client"}


def test_no_extension_no_attributes() -> None:
    assert ca.certificate_attributes(with_extension(None)) == {}


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"attrs":[]}', b'{"attrs":{"role":1}}', b"\xff"])
def test_a_malformed_extension_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="attributes extension"):
        ca.certificate_attributes(with_extension(value))


def test_the_id_is_in_the_servers_form_without_leading_zeros() -> None:
    key = ca.generate_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    now = datetime.now(UTC)
    authority = x509.AuthorityKeyIdentifier(bytes.fromhex("000a0b"), None, None)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 0x0C0D, now, now + timedelta(days=1))
        .add_extension(authority, critical=False)
        .sign(key, hashes.SHA256())
    )
    assert ca.certificate_id(made) == ca.CertificateId("c0d", "a0b")
    assert ca.certificate_id(made.public_bytes(serialization.Encoding.PEM)) == ca.certificate_id(made)


def test_a_certificate_of_no_fabric_ca_has_no_id() -> None:
    with pytest.raises(ValueError, match="authority key id"):
        ca.certificate_id(with_extension(None))


def test_keys_survive_their_pem() -> None:
    key = ca.generate_key()
    assert key.curve.name == "secp256r1"
    again = ca.key_from_pem(ca.key_to_pem(key))
    assert again.private_numbers() == key.private_numbers()
    assert ca.key_to_pem(key).startswith(b"-----BEGIN PRIVATE KEY-----")


def test_other_keys_are_refused() -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="P-256 or P-384"):
        ca.key_from_pem(other)
    with pytest.raises(ValueError, match="secp256k1"):
        sign_low_s(ec.generate_private_key(ec.SECP256K1()), b"x")
