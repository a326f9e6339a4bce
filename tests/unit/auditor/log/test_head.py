"""Leaves and heads: their one form, who may sign a head, and what is refused."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auditor.errors import AuditUnavailable
from auditor.log.errors import REFUSALS, LogRefused
from auditor.log.head import HeadSigner, TreeHead, VerifiedHead, parse_head, parse_head_file, verify_head
from auditor.log.leaf import LogLeaf, parse_leaf
from auditor.log.tree import EMPTY_ROOT
from auditor.log.trust import TrustRoot, fingerprint, parse_trust
from auditor.members import Organisation
from client.encodings import certificates, jcs, jws
from tests.unit.auditor.builder import Network, Org
from tests.unit.auditor.log.stage import der

if TYPE_CHECKING:
    from auditor.log.head import SignedHead

MH, DIGEST, TX = "A" * 43, "B" * 42 + "A", "ab" * 32
HEAD = TreeHead("m-1", MH, "arbitration-institutiona", 3, bytes(32), 7, "cd" * 32, "2026-03-09T11:30:00Z")
LEAF = LogLeaf("m-1", DIGEST, TX, 7, 2)


def code_of(ask: object, *arguments: object) -> str:
    with pytest.raises(LogRefused) as caught:
        ask(*arguments)  # type: ignore[operator]
    assert caught.value.code in REFUSALS
    assert caught.value.exit_code == 1
    return caught.value.code


@pytest.fixture(scope="session")
def signer(fabric: Network) -> HeadSigner:
    person = fabric.person("RegulatorMSP", "auditor")
    root = fabric.orgs["RegulatorMSP"].root.public_bytes(Encoding.DER)
    return HeadSigner(person.key, (der(person), root))


@pytest.fixture(scope="session")
def regulator(fabric: Network) -> Organisation:
    return Organisation("RegulatorMSP", (fabric.orgs["RegulatorMSP"].root,))


# Leaves


def test_a_leafs_bytes_are_as_documented() -> None:
    text = f'{{"block":7,"digest":"{DIGEST}","mtg":"m-1","pos":2,"tx":"{TX}","v":1}}'
    assert LEAF.encode() == text.encode()
    assert jcs.dumps(jcs.loads(LEAF.encode())) == LEAF.encode()
    assert parse_leaf(text.encode()) == LEAF


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"mtg": "M"},
        {"digest": TX},
        {"tx": DIGEST},
        {"block": "7"},
        {"block": True},
        {"pos": None},
        {"more": 1},
    ],
)
def test_a_malformed_leaf(changes: dict[str, Any]) -> None:
    assert code_of(parse_leaf, jcs.dumps(jcs.loads(LEAF.encode()) | changes)) == "LOG_LEAF"


@pytest.mark.parametrize("data", [b"", b"[]", b'{"v":1}', b" " + LEAF.encode()])
def test_what_is_no_canonical_leaf(data: bytes) -> None:
    assert code_of(parse_leaf, data) == "LOG_LEAF"


# Heads


def test_a_heads_bytes_are_as_documented(signer: HeadSigner, regulator: Organisation) -> None:
    signed = signer.sign(HEAD)
    payload = (
        f'{{"block":7,"block_hash":"{"cd" * 32}","channel":"arbitration-institutiona","mh":"{MH}",'
        f'"mtg":"m-1","root":"{MH}","size":3,"time":"2026-03-09T11:30:00Z","v":1}}'
    )
    x5t = certificates.thumbprint(signer.certificates[0])
    assert signed.jws.payload == payload.encode()
    assert jws.parse(signed.compact, "concordat-head+jws").x5t == x5t
    again = parse_head_file(signed.encode())
    assert (again.head, again.compact, again.certificates) == (HEAD, signed.compact, signer.certificates)
    assert verify_head(again, regulator).head == HEAD


def resigned(signer: HeadSigner, payload: bytes, typ: str = "concordat-head+jws") -> str:
    return jws.sign(typ, certificates.thumbprint(signer.certificates[0]), payload, signer.key).compact


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"mtg": ""},
        {"mh": TX},
        {"channel": "identity"},
        {"channel": 1},
        {"size": "3"},
        {"size": 0},
        {"root": TX},
        {"root": None},
        {"block": True},
        {"block_hash": MH},
        {"time": "2026-03-09 11:30"},
        {"time": 1},
        {"more": 1},
    ],
)
def test_a_malformed_head(signer: HeadSigner, changes: dict[str, Any]) -> None:
    compact = resigned(signer, jcs.dumps(jcs.loads(HEAD.payload()) | changes))
    assert code_of(parse_head, compact, signer.certificates) == "HEAD_FORMAT"


def test_a_head_that_is_not_byte_for_byte_the_prescribed_one(signer: HeadSigner) -> None:
    for compact in (
        resigned(signer, HEAD.payload() + b" "),
        resigned(signer, HEAD.payload().replace(b'"v":1', b'"v":1,"v":1')),
        resigned(signer, HEAD.payload(), "concordat-ack+jws"),
        "a.b",
    ):
        assert code_of(parse_head, compact, signer.certificates) == "HEAD_FORMAT"
    for chain in ((), signer.certificates * 3):
        assert code_of(parse_head, signer.sign(HEAD).compact, chain) == "HEAD_FORMAT"


@pytest.mark.parametrize(
    "changes",
    [{"v": 2}, {"type": "concordat-trust"}, {"head": 1}, {"certificates": "x"}, {"certificates": ["x"]}],
)
def test_a_malformed_heads_file(signer: HeadSigner, changes: dict[str, Any]) -> None:
    value = jcs.loads(signer.sign(HEAD).encode())
    assert code_of(parse_head_file, jcs.dumps(value | changes)) == "HEAD_FORMAT"
    assert code_of(parse_head_file, b"{") == "HEAD_FORMAT"
    assert code_of(parse_head_file, jcs.dumps(value | {"more": 1})) == "HEAD_FORMAT"


def test_an_empty_logs_root_is_the_empty_hash() -> None:
    assert replace(HEAD, size=0, root=EMPTY_ROOT).size == 0
    assert code_of(lambda: replace(HEAD, size=0)) == "HEAD_FORMAT"


def signed_by(fabric: Network, msp: str, **attributes: str) -> SignedHead:
    person = fabric.orgs[msp].issue("somebody", attributes=attributes)
    root = fabric.orgs[msp].root.public_bytes(Encoding.DER)
    return HeadSigner(person.key, (der(person), root)).sign(HEAD)


def test_only_the_regulators_auditor_signs(fabric: Network, regulator: Organisation) -> None:
    verify_head(signed_by(fabric, "RegulatorMSP", role="auditor"), regulator)
    assert (
        code_of(verify_head, signed_by(fabric, "AssociationMSP", role="auditor"), regulator) == "HEAD_SIGNER"
    )
    assert code_of(verify_head, signed_by(fabric, "RegulatorMSP", role="officer"), regulator) == "HEAD_ROLE"
    assert code_of(verify_head, signed_by(fabric, "RegulatorMSP"), regulator) == "HEAD_ROLE"


def test_a_ca_of_the_same_name_is_another_ca(signer: HeadSigner) -> None:
    namesake = Org("RegulatorMSP")
    assert (
        code_of(verify_head, signer.sign(HEAD), Organisation("RegulatorMSP", (namesake.root,)))
        == "HEAD_SIGNER"
    )


def test_a_ca_signs_no_head(fabric: Network, regulator: Organisation) -> None:
    person = fabric.orgs["RegulatorMSP"].issue("sub-ca", attributes={"role": "auditor"}, ca=True)
    assert code_of(verify_head, HeadSigner(person.key, (der(person),)).sign(HEAD), regulator) == "HEAD_SIGNER"


def test_a_revoked_auditor_signs_no_head(signer: HeadSigner, regulator: Organisation) -> None:
    signed = signer.sign(HEAD)
    certificate = signed.load_certificates()[0]
    revoking = replace(regulator, revoked=frozenset({(certificate.issuer, certificate.serial_number)}))
    assert code_of(verify_head, signed, revoking) == "HEAD_SIGNER"


def test_a_signature_of_another_key(fabric: Network, signer: HeadSigner, regulator: Organisation) -> None:
    stolen = HeadSigner(fabric.person("RegulatorMSP", "auditor").key, signer.certificates)
    assert code_of(verify_head, stolen.sign(HEAD), regulator) == "HEAD_SIGNATURE"


def test_another_certificate_than_the_header_names(fabric: Network, regulator: Organisation) -> None:
    one = signed_by(fabric, "RegulatorMSP", role="auditor")
    other = signed_by(fabric, "RegulatorMSP", role="auditor")
    assert code_of(verify_head, replace(one, certificates=other.certificates), regulator) == "HEAD_SIGNER"
    assert code_of(verify_head, replace(one, certificates=(b"no certificate",)), regulator) == "HEAD_SIGNER"


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_no_head_survives_a_flipped_bit(signer: HeadSigner, regulator: Organisation, place: int) -> None:
    good = signer.sign(HEAD)
    compact = bytearray(good.compact.encode())
    compact[place % len(compact)] ^= 1

    def verify() -> None:
        verify_head(parse_head(compact.decode("ascii"), good.certificates), regulator)

    assert code_of(verify) in {"HEAD_FORMAT", "HEAD_SIGNATURE", "HEAD_SIGNER"}


def test_only_verification_makes_a_verified_head(signer: HeadSigner) -> None:
    with pytest.raises(TypeError):
        VerifiedHead(HEAD, signer.sign(HEAD), object())  # type: ignore[arg-type]


def test_a_head_of_another_meeting() -> None:
    own = {"mtg": HEAD.mtg, "mh": HEAD.mh, "channel": HEAD.channel}
    HEAD.verify_meeting(**own)
    for name in own:
        assert code_of(lambda: HEAD.verify_meeting(**{**own, name: "other"})) == "HEAD_MEETING"  # noqa: B023


def test_the_signers_key_is_read_from_its_files(fabric: Network) -> None:
    person = fabric.person("RegulatorMSP", "auditor")
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    loaded = HeadSigner.load(person.key.private_bytes(*form), [person.pem])
    assert loaded.certificates == (der(person),)
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        with pytest.raises(AuditUnavailable, match="P-256"):
            HeadSigner.load(key.private_bytes(*form), [person.pem])


# Trust


def test_the_trust_root_names_the_regulators_ca_by_fingerprint(fabric: Network, signer: HeadSigner) -> None:
    root = fabric.orgs["RegulatorMSP"].root
    trust = TrustRoot({"identity": "ab" * 32}, frozenset({fingerprint(root)}))
    assert parse_trust(jcs.dumps(trust.as_json()), "trust.json") == trust
    signed = signer.sign(HEAD)
    verify_head(signed, trust.regulator(signed.load_certificates()))
    without = replace(signed, certificates=signed.certificates[:1])
    assert code_of(verify_head, without, trust.regulator(without.load_certificates())) == "HEAD_SIGNER"


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"type": "concordat-head"},
        {"genesis": {}},
        {"genesis": {"identity": "xyz"}},
        {"regulator_ca": []},
        {"regulator_ca": ["xyz"]},
        {"regulator_ca": "ab" * 32},
        {"more": 1},
    ],
)
def test_a_malformed_trust_file_is_one_sentence(changes: dict[str, Any]) -> None:
    good = TrustRoot({"identity": "ab" * 32}, frozenset({"cd" * 32})).as_json()
    with pytest.raises(AuditUnavailable, match=r"^trust\.json is no trust file") as caught:
        parse_trust(jcs.dumps(good | changes), "trust.json")
    assert caught.value.exit_code == 2
    with pytest.raises(AuditUnavailable):
        parse_trust(base64.b64encode(b"trust"), "trust.json")
