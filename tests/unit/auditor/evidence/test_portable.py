"""Two implementations of signatures, certificates and CBOR, held to the same answers, good and bad."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from client.encodings import es256
from tests.unit.auditor.builder import ORDER, Org, sign
from tests.unit.auditor.evidence.both import answers
from tests.unit.auditor.evidence.test_verifier_file import built

if TYPE_CHECKING:
    from cryptography import x509

    from tests.unit.auditor.builder import Network

SEED = 20260309


def portable(cases: list[dict[str, Any]]) -> list[Any]:
    program = [sys.executable, "-I", "-S", str(Path(__file__).with_name("both.py")), str(built())]
    done = subprocess.run(
        program, input=json.dumps(cases), capture_output=True, text=True, env={}, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    said: list[Any] = json.loads(done.stdout)
    return said


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def flips(data: bytes, count: int, chance: random.Random) -> list[bytes]:
    changed = []
    for _ in range(count):
        copy = bytearray(data)
        copy[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        changed.append(bytes(copy))
    return changed


def test_certificates(fabric: Network) -> None:
    root = der(fabric.orgs["RegulatorMSP"].root)
    other = der(Org("RegulatorMSP").root)  # the same name, another key
    own = [
        der(person.certificate)
        for person in (
            fabric.person("RegulatorMSP", "auditor"),
            fabric.admins["RegulatorMSP"],
            fabric.peers["AssociationMSP"],
            fabric.orgs["RegulatorMSP"].issue(' #a, "b"+c\\d;<e> ', ca=True),
            fabric.orgs["RegulatorMSP"].issue("张伟"),
        )
    ]
    cases = [
        {"kind": "certificate", "der": one.hex(), "issuer": issuer.hex()}
        for one in (*own, root)
        for issuer in (root, other, own[0])
    ]
    said = answers(cases)
    assert portable(cases) == said
    assert {one[7] for one in said} == {True, False}


def test_certificates_with_a_flipped_bit_are_never_issued(fabric: Network) -> None:
    """Libraries differ in what they call malformed; both must refuse what counts: that it was issued."""
    chance = random.Random(SEED)  # noqa: S311  reproducible
    root = der(fabric.orgs["RegulatorMSP"].root)
    one = der(fabric.person("RegulatorMSP", "auditor").certificate)
    cases = [
        {"kind": "certificate", "der": changed.hex(), "issuer": root.hex()}
        for changed in flips(one, 400, chance)
    ]
    for implementation in (answers, portable):
        said = implementation(cases)
        assert all(answer == "malformed" or answer[7] is False for answer in said)


def test_signatures(fabric: Network) -> None:
    chance = random.Random(SEED)  # noqa: S311  reproducible
    person = fabric.person("RegulatorMSP", "auditor")
    key, data = person.key, b"what was signed"
    r, s = decode_dss_signature(sign(key, data))
    strange = [(0, s), (r, 0), (r, ORDER - s), (r + ORDER, s), (r, s + ORDER), (1, 1), (ORDER - 1, ORDER - 1)]
    fabric_signatures = [sign(key, data), sign(key, data, high=True), sign(key, b"other"), b"", b"\x30\x00"]
    fabric_signatures += [encode_dss_signature(*pair) for pair in strange]
    fabric_signatures += [sign(key, data) + b"\0", *flips(sign(key, data), 60, chance)]
    jws = [es256.sign(key, data), es256.sign(key, b"other"), bytes(64), b"\xff" * 64, b"\1" * 63]
    jws += [
        one[0].to_bytes(32, "big") + one[1].to_bytes(32, "big") for one in ((r, ORDER - s), (0, s), (r, 0))
    ]
    jws += flips(es256.sign(key, data), 60, chance)
    certificate = der(person.certificate).hex()
    cases = [
        {"kind": kind, "der": certificate, "data": data.hex(), "signature": signature.hex()}
        for kind, signatures in (("fabric", fabric_signatures), ("jws", jws))
        for signature in signatures
    ]
    said = answers(cases)
    assert portable(cases) == said
    assert said.count("good") >= 3
    assert isinstance(key, ec.EllipticCurvePrivateKey)


def test_cbor() -> None:
    chance = random.Random(SEED)  # noqa: S311  reproducible
    values: list[Any] = [
        0,
        23,
        24,
        255,
        256,
        65535,
        65536,
        2**32,
        2**64 - 1,
        b"",
        b"abc",
        "",
        "章程",
        [],
        [1, [b"x", "y"]],
    ]
    values += [[[[[[[[1]]]]]]], [[[[[[[[[1]]]]]]]]], -1, 1.5, None, True, {"a": 1}, list(range(30))]
    encoded = [cbor2.dumps(value) for value in values]
    encoded += [
        b"",
        b"\x18\x01",
        b"\x9f\xff",
        b"\xff",
        b"\x01\x01",
        b"\xc2\x41\x01",
        b"\x61\xff",
        b"\x5b" + b"\xff" * 8,
    ]
    encoded += flips(cbor2.dumps([1, b"abcdef", "text", [2, [3, b"x" * 40]]]), 300, chance)
    cases = [{"kind": "cbor", "data": data.hex()} for data in encoded]
    said = answers(cases)
    assert portable(cases) == said
    assert 0 < said.count("refused") < len(said)
