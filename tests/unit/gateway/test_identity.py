import hashlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from client.gateway import ecdsa_signer, sha256, sha384, unhashed

HALF_ORDER = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2,
    "secp384r1": int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16) // 2,
}


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
@pytest.mark.parametrize("digest", [sha256, sha384])
def test_signatures_verify_and_have_low_s(curve: ec.EllipticCurve, digest: object) -> None:
    key = ec.generate_private_key(curve)
    sign = ecdsa_signer(pem(key))
    algorithm = hashes.SHA256() if digest is sha256 else hashes.SHA384()
    for number in range(40):  # half of the raw signatures have a high S
        message = b"message %d" % number
        signature = sign(sha256(message) if digest is sha256 else sha384(message))
        key.public_key().verify(signature, message, ec.ECDSA(algorithm))
        assert decode_dss_signature(signature)[1] <= HALF_ORDER[curve.name]


def test_a_loaded_key_signs_as_its_pem_does(key: ec.EllipticCurvePrivateKey) -> None:
    key.public_key().verify(ecdsa_signer(key)(sha256(b"x")), b"x", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["other curve", "Ed25519", "RSA"],
)
def test_other_keys_are_refused(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey,
) -> None:
    with pytest.raises(ValueError, match="P-256 or P-384"):
        ecdsa_signer(pem(key))


def test_a_message_in_place_of_its_digest_is_refused(key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(ValueError, match="32 or 48 bytes"):
        ecdsa_signer(key)(b"not a digest")


def test_digests() -> None:
    assert sha256(b"x") == hashlib.sha256(b"x").digest()
    assert sha384(b"x") == hashlib.sha384(b"x").digest()
    assert unhashed(b"x") == b"x"
