"""Certificates: thumbprints, keys, issuers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from client.encodings import certificates, es256
from client.encodings.errors import Refused
from tests.vectors.scene import certificate_of, key_of

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def issue(
    key: Key,
    *,
    issuer: str = "lender-ca",
    common_names: tuple[str, ...] = ("lender",),
    days: int = 0,
    ca: bool | None = False,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names])
    begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(key_of(issuer), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ROOT = certificate_of("lender-ca", "lender-ca", "lender-ca")


def code(certificate: bytes, issuer: bytes = ROOT) -> str:
    with pytest.raises(Refused) as refused:
        certificates.verify_issued(certificate, issuer)
    return refused.value.code


def test_a_root_vouches_for_what_it_issued_and_nothing_else() -> None:
    good = issue(key_of("lender"))
    certificates.verify_issued(good, ROOT)
    certificates.verify_issued(issue(key_of("lender"), ca=None), ROOT)
    other = certificate_of("other-ca", "other-ca", "other-ca")
    assert code(good, other) == "CERT_CHAIN"
    assert code(good, good) == "CERT_CHAIN"


def test_a_root_of_the_same_name_is_another_root() -> None:
    impostor = certificate_of("impostor", "lender-ca", "impostor")
    assert code(issue(key_of("lender")), impostor) == "CERT_CHAIN"


def test_an_authority_is_no_lender() -> None:
    assert code(issue(key_of("lender"), ca=True)) == "CERT_KEY"
    assert code(ROOT) == "CERT_KEY"


def test_what_is_no_authority_vouches_for_nobody() -> None:
    middle = issue(key_of("middle"), common_names=("middle",))
    assert code(issue(key_of("lender"), issuer="middle"), middle) == "CERT_CHAIN"


def test_time_is_judged_at_the_certificates_own_beginning() -> None:
    certificates.verify_issued(issue(key_of("lender"), days=3000), ROOT)
    assert code(issue(key_of("lender"), days=-1)) == "CERT_CHAIN"
    assert code(issue(key_of("lender"), days=4000)) == "CERT_CHAIN"


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "secp256k1", "Ed25519", "RSA"],
)
def test_only_p256_keys_are_keys(key: Key) -> None:
    with pytest.raises(Refused) as refused:
        certificates.public_key(issue(key))
    assert refused.value.code == "CERT_KEY"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        with pytest.raises(TypeError, match="P-256"):
            es256.sign(key, b"")
        with pytest.raises(Refused, match="not P-256"):
            es256.verify(key.public_key(), bytes(64), b"")


@pytest.mark.parametrize("data", [b"", b"certificate", ROOT[:-1], ROOT + b"\0"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        certificates.load(data)
    assert refused.value.code == "CERT_FORMAT"


def test_a_pseudonym_is_the_one_common_name() -> None:
    assert certificates.common_name(issue(key_of("lender"), common_names=("abc",))) == "abc"
    for names in ((), ("abc", "def")):
        with pytest.raises(Refused) as refused:
            certificates.common_name(issue(key_of("lender"), common_names=names))
        assert refused.value.code == "CERT_SUBJECT"


def test_a_thumbprint_is_the_hash_of_all_bytes() -> None:
    assert certificates.thumbprint(b"abc") == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
