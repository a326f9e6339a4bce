"""Who may do what: MSP and role together, and certificates only of the org's own identity CA."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from client.ca import CAClient, generate_key
from client.encodings import jcs
from client.gateway import Identity, connect, ecdsa_signer, grpc_channel
from client.gateway.errors import GatewayError
from client.meetings.channel import look_up
from client.platform.chain import commit, refusal_code
from client.services import ASSOCIATION, REGULATOR
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("authority"), lenders=3)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("msp", "role", "function"),
    [
        (INSTITUTION, "officer", "ConfirmMeeting"),
        (ASSOCIATION, "officer", "ConfirmMeeting"),
        (REGULATOR, "auditor", "ConfirmMeeting"),
        (REGULATOR, "relay", "ConfirmMeeting"),
        (INSTITUTION, "officer", "ConfirmStep"),
        (ASSOCIATION, "officer", "ConfirmStep"),
        (ASSOCIATION, "officer", "ProposeMeeting"),
        (REGULATOR, "officer", "ProposeMeeting"),
        (REGULATOR, "officer", "ProposeStep"),
        (ASSOCIATION, "verifier", "ProposeStep"),
        (ASSOCIATION, "officer", "SubmitBallots"),
        (INSTITUTION, "officer", "SubmitBallots"),
        (INSTITUTION, "admin", "SubmitBallots"),
        (REGULATOR, "officer", "AnchorAudit"),
        (ASSOCIATION, "relay", "AnchorAudit"),
    ],
)
def test_on_an_institutions_channel_only_the_named_role_of_the_named_org_acts(
    stage: Stage, msp: str, role: str, function: str
) -> None:
    arguments = {"AnchorAudit": 1, "SubmitBallots": 1}.get(function, 2)
    contract = stage.services.arbitration(msp, role, INSTITUTION)
    with pytest.raises(GatewayError) as caught:
        commit(contract, function, *(["x"] * arguments))
    assert refusal_code(caught.value) == "NOT_AUTHORISED"


@pytest.mark.parametrize(
    ("msp", "role", "function"),
    [
        (ASSOCIATION, "officer", "Enrol"),
        (ASSOCIATION, "relay", "Enrol"),
        (REGULATOR, "officer", "Enrol"),
        (INSTITUTION, "officer", "RecordSessions"),
        (ASSOCIATION, "relay", "RecordSessions"),
        (ASSOCIATION, "officer", "ProposeIssuer"),
        (ASSOCIATION, "verifier", "Revoke"),
    ],
)
def test_on_identity_only_the_named_role_of_the_named_org_acts(
    stage: Stage, msp: str, role: str, function: str
) -> None:
    with pytest.raises(GatewayError) as caught:
        commit(stage.services.identity(msp, role), function, "x")
    assert refusal_code(caught.value) == "NOT_AUTHORISED"


def test_an_institutions_officer_confirms_no_issuer(stage: Stage) -> None:
    with pytest.raises(GatewayError) as caught:
        commit(stage.services.identity(INSTITUTION, "officer"), "ConfirmIssuer", INSTITUTION, "x")
    assert refusal_code(caught.value) == "NOT_AUTHORISED"


def _enrolled(stage: Stage, msp: str, ca: str) -> tuple[bytes, EllipticCurvePrivateKey]:
    """Get a certificate with the attribute role=officer from one CA of an org."""
    authority = stage.services.profile.org(msp).ca
    root, key, name = authority.tls_root.read_bytes(), generate_key(), f"false-officer-{ca}-{msp.lower()}"
    with CAClient(authority.url, authority.names[ca], root) as client:
        secret = authority.registrar_secret_file.read_text().strip()
        registrar_key = generate_key()
        enrolled = client.enroll(authority.registrar, secret, registrar_key)
        registrar = client.registrar(enrolled.cert_pem, registrar_key)
        own = registrar.register(name, attributes={"role": "officer"})
        return client.enroll(name, own, key).cert_pem, key


@pytest.mark.parametrize(
    ("issued_by", "ca", "claims"),
    [
        (INSTITUTION, "lender", INSTITUTION),  # a root that is in no channel's MSP
        (INSTITUTION, "tls", INSTITUTION),
        (INSTITUTION, "identity", REGULATOR),  # a true officer of another org
        (ASSOCIATION, "identity", REGULATOR),
    ],
)
def test_the_right_attribute_from_the_wrong_ca_is_worth_nothing(
    stage: Stage, issued_by: str, ca: str, claims: str
) -> None:
    meeting = stage.announce()
    stage.clock.advance(minutes=1)
    step = stage.services.convener(INSTITUTION).propose_step(meeting.mtg, "open")
    cert, key = _enrolled(stage, issued_by, ca)
    peer = stage.services.profile.org(REGULATOR).peers[0]
    channel = grpc_channel(peer.address, peer.tls_root.read_bytes())
    with connect(channel, Identity(claims, cert), ecdsa_signer(key), close_channel=True) as gateway:
        contract = gateway.network(meeting.channel).contract("arbitration")
        with pytest.raises(GatewayError) as caught:
            commit(contract, "ConfirmStep", meeting.mtg, step.digest)
        assert refusal_code(caught.value) is None  # the peer's MSP refuses; the chaincode never sees it
        with pytest.raises(GatewayError):
            contract.evaluate("GetMeeting", meeting.mtg)
    regulator = stage.services.arbitration(REGULATOR, "officer", INSTITUTION)
    assert look_up(regulator, meeting.mtg).state == "announced"


def test_one_institutions_officer_does_not_enrol_an_issuer_for_another(stage: Stage) -> None:
    document = jcs.dumps({"v": 1, "institution": "InstitutionBMSP", "certificate": "AAAA"})
    with pytest.raises(GatewayError) as caught:
        commit(stage.services.identity(INSTITUTION, "officer"), "ProposeIssuer", document)
    assert refusal_code(caught.value) == "NOT_AUTHORISED"
    assert json.loads(stage.services.identity(REGULATOR, "officer").evaluate("GetIssuer", INSTITUTION))
