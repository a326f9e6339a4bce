"""Chains of certificate authorities: what Fabric's peers refuse, the verifier refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.members import Membership, NotAMember, Organisation
from tests.unit.auditor.builder import BEGIN, END
from tests.unit.auditor.evidence.both import answers
from tests.unit.auditor.evidence.test_portable import portable

if TYPE_CHECKING:
    from datetime import datetime

CERT_SIGN, CRL_SIGN = 5, 6  # places in a key usage


@dataclass(frozen=True)
class Party:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def party(
    name: str,
    by: Party | None = None,
    *,
    ca: bool = True,
    length: int | None = None,
    usage: int | None = None,
    begins: datetime = BEGIN,
) -> Party:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
    )
    if usage is not None:
        flags = [place == usage for place in range(9)]
        builder = builder.add_extension(x509.KeyUsage(*flags), critical=True)
    return Party(builder.sign(by.key if by else key, hashes.SHA256()), key)


def member(root: Party, between: list[Party], own: Party) -> None:
    organisation = Organisation("OrgMSP", (root.certificate,), tuple(one.certificate for one in between))
    identity = pb.identities.SerializedIdentity(
        mspid="OrgMSP", id_bytes=own.certificate.public_bytes(Encoding.PEM)
    )
    Membership({"OrgMSP": organisation}).member(identity.SerializeToString())


def test_a_chain_within_what_its_authorities_allow() -> None:
    root = party("root", length=1, usage=CERT_SIGN)
    below = party("below", root, length=0, usage=CERT_SIGN)
    member(root, [below], party("own", below, ca=False))
    member(root, [], party("own", root, ca=False, usage=0))


@pytest.mark.parametrize(
    ("length", "usage"),
    [
        pytest.param(0, None, id="no authority may be below the root"),
        pytest.param(None, CRL_SIGN, id="the root may sign lists alone"),
    ],
)
def test_a_chain_beyond_what_its_root_allows(length: int | None, usage: int | None) -> None:
    root = party("root", length=length, usage=usage)
    below = party("below", root)
    with pytest.raises(NotAMember, match="does not chain"):
        member(root, [below], party("own", below, ca=False))


def test_a_member_is_no_authority_over_others() -> None:
    root = party("root")
    for between in (party("below", root, ca=False), party("below", root, usage=CRL_SIGN)):
        with pytest.raises(NotAMember, match="does not chain"):
            member(root, [between], party("own", between, ca=False))


def test_an_authority_that_began_after_the_member() -> None:
    root = party("root")
    late = party("late", root, begins=BEGIN + timedelta(days=1))
    with pytest.raises(NotAMember, match="does not chain"):
        member(root, [late], party("own", late, ca=False))


def test_both_implementations_read_what_an_authority_may_do_alike() -> None:
    root = party("root")
    variants: tuple[dict[str, Any], ...] = (
        {},
        {"length": 0},
        {"length": 7, "usage": CERT_SIGN},
        {"usage": CRL_SIGN},
        {"usage": 0},
        {"ca": False},
    )
    cases = [
        {"kind": "certificate", "der": party("x", root, **given).der.hex(), "issuer": root.der.hex()}
        for given in variants
    ]
    said = answers(cases)
    assert portable(cases) == said
    assert {one[-1] for one in said} == {None, True, False}
