"""Certificates, lists and signatures that somebody made on purpose: both implementations refuse them."""

from __future__ import annotations

import copy
import hashlib
import random
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.unit.auditor.builder import ORDER, Org, sign
from tests.unit.auditor.evidence.both import answers
from tests.unit.auditor.evidence.test_portable import SEED, as_pem, der, portable, revocation_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography import x509

    from tests.unit.auditor.builder import Network

ISSUED = 7  # where an answer says whether the issuer issued the certificate
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
TAGS = (0x01, 0x02, 0x05, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1C, 0x1E, 0x30, 0x31, 0x80, 0xA0, 0xA3)

Item = list[Any]  # the tag, and its bytes or the items in it


def items(data: bytes) -> list[Item]:
    """The items of some DER, those of constructed ones below them."""
    found: list[Item] = []
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        body = data[start : start + length]
        found.append([tag, items(body) if tag & 0x20 else body])
        at = start + length
    return found


def written(listed: Iterable[Item]) -> bytes:
    return b"".join(tagged(tag, body if isinstance(body, bytes) else written(body)) for tag, body in listed)


def tagged(tag: int, body: bytes) -> bytes:
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes((tag, *((len(body),) if len(body) < 128 else (0x80 | len(size), *size)))) + body


def within(listed: list[Item]) -> Iterator[tuple[list[Item], Item]]:
    """Every item with the list that it is in."""
    for one in listed:
        yield listed, one
        if isinstance(one[1], list):
            yield from within(one[1])


def distorted(signed: bytes, chance: random.Random) -> bytes:
    """What is signed of a certificate with one item of another kind, doubled, gone, moved or changed."""
    tree = items(signed)
    around, one = chance.choice(list(within(tree))[1:])
    match chance.randrange(5):
        case 0:
            one[0] = chance.choice(TAGS)
        case 1:
            around.insert(around.index(one), copy.deepcopy(one))
        case 2:
            around.remove(one)
        case 3:
            chance.shuffle(around)
        case _ if isinstance(one[1], bytes):
            body = one[1]
            byte = bytes((chance.randrange(256),))
            one[1] = chance.choice((body + byte, b"\0" + body, body[:-1], byte + body[1:]))
        case _:
            one[1].reverse()
    return written(tree)


def issue(org: Org, signed: bytes) -> bytes:
    return tagged(0x30, signed + ECDSA_SHA256 + tagged(3, b"\0" + sign(org.key, signed)))


def test_certificates_of_another_shape_are_malformed_to_both_though_their_ca_signed_them(
    fabric: Network,
) -> None:
    """A reader that takes more than DER's one form would vouch for what the service refuses."""
    chance = random.Random(SEED)  # noqa: S311  reproducible
    org: Org = fabric.orgs["RegulatorMSP"]
    own: x509.Certificate = fabric.person("RegulatorMSP", "auditor").certificate
    plain = own.tbs_certificate_bytes
    signed = [plain, *(distorted(plain, chance) for _ in range(400))]
    cases = [
        {"kind": "certificate", "der": issue(org, one).hex(), "issuer": der(org.root).hex()} for one in signed
    ]
    said = list(zip(answers(cases), portable(cases), strict=True))
    assert said[0][0] == said[0][1]
    assert said[0][1][ISSUED] is True
    for one, other in said:
        if other != "malformed" and other[ISSUED]:
            assert one == other
    assert sum(one == "malformed" for one, _ in said) > 100


def test_an_issuers_name_in_another_kind_of_string_is_another_name(fabric: Network) -> None:
    org: Org = fabric.orgs["RegulatorMSP"]
    tree = items(fabric.person("RegulatorMSP", "auditor").certificate.tbs_certificate_bytes)
    issuer = tree[0][1][3][1]
    for _, one in within(issuer):
        if one[0] == 0x0C:  # UTF8String
            one[0] = 0x13  # PrintableString
    case = {"kind": "certificate", "der": issue(org, written(tree)).hex(), "issuer": der(org.root).hex()}
    said = answers([case])
    assert portable([case]) == said
    assert said[0][ISSUED] is False


def test_a_signature_that_leads_to_the_point_at_infinity(fabric: Network) -> None:
    """Whoever holds a key can make one: u1 G + u2 Q is no point, and the verifier may not end in a defect."""
    person = fabric.person("RegulatorMSP", "auditor")
    data = b"what was signed"
    number = int.from_bytes(hashlib.sha256(data).digest(), "big")
    r = -number * pow(person.key.private_numbers().private_value, -1, ORDER) % ORDER
    pairs = [(r, s) for s in (1, 5, ORDER // 2)]
    cases = [
        {"kind": kind, "der": der(person.certificate).hex(), "data": data.hex(), "signature": signature.hex()}
        for kind, signatures in (
            ("fabric", [encode_dss_signature(*pair) for pair in pairs]),
            ("jws", [one[0].to_bytes(32, "big") + one[1].to_bytes(32, "big") for one in pairs]),
        )
        for signature in signatures
    ]
    said = answers(cases)
    assert portable(cases) == said
    assert "good" not in said


def test_a_revocation_list_with_two_algorithms_is_nobodys(fabric: Network) -> None:
    org: Org = fabric.orgs["RegulatorMSP"]
    raw = _der_of(revocation_list(org, [7], org.key))
    outer = items(raw)[0][1]
    signed = written(outer[:1])
    changed = tagged(
        0x30, signed + bytes.fromhex("300a06082a8648ce3d040303") + tagged(3, b"\0" + sign(org.key, signed))
    )
    case = {"kind": "crl", "pem": as_pem(changed), "issuer": der(org.root).hex()}
    for said in (answers([case]), portable([case])):
        assert said[0] == "malformed" or said[0][3] is False


def _der_of(pem: str) -> bytes:
    from base64 import b64decode  # noqa: PLC0415

    return b64decode("".join(pem.splitlines()[1:-1]))
