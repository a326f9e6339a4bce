"""The identity service on the real network: sessions on `identity`, refusals there, a renewed certificate."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from biometrics.review.officers import KnownOfficer
from biometrics.service.app import create_app
from biometrics.service.callers import OfficerCaller
from biometrics.service.parts import system_clock
from biometrics.service.recording import NotRecorded
from biometrics.service.service import Surroundings, build
from biometrics.store import Database as Store
from biometrics.terms.errors import ServiceRefused
from client.ca import CAClient, generate_key, key_from_pem, key_to_pem
from client.encodings import base64url
from client.encodings.records import parse_session
from client.identity.channel import ChannelEnrolments, ChannelMeetings, VerifierContract
from client.platform import Vault
from client.services import ASSOCIATION
from client.sessions import SessionRecorder
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.unit.biometrics_service.doubles import (
    MEETING,
    Clock,
    InlinePool,
    Person,
    PhotosDouble,
    Streaming,
)
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from biometrics.service.service import IdentityService
    from client.encodings.records import Session
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network


class Platform:
    """The service wired to the real channel; only the face work is a stub. `clock` is the service's."""

    def __init__(
        self,
        network: LiveNetwork,
        folder: Path,
        *,
        lenders: int = 3,
        announced: str | None = MEETING,
        clock: Callable[[Stage], int] = lambda _: system_clock(),
    ) -> None:
        self.stage = Stage.set(network.profile, folder, lenders=lenders)
        if announced is not None:
            self.stage.announce(announced)
        self.contract = VerifierContract(network.home)
        self.vault = Vault.open(folder / "identity.key")
        self.recorder = SessionRecorder(
            self.stage.services.database, self.stage.services.vault, self.contract
        )
        self.photos = PhotosDouble()
        self.ticks = Clock()
        self.service: IdentityService = build(
            Surroundings(
                database=Store.open(f"sqlite:///{folder / 'identity.db'}"),
                sealer=self.vault,
                sources=[self.photos],
                enrolments=ChannelEnrolments(self.contract),
                meetings=ChannelMeetings(network.home),
                recorder=self.recorder,
                keeper=self.recorder,
                checker="tests.unit.biometrics_service.stub_checker:make",
                pool=InlinePool(),
                clock=lambda: clock(self.stage),
                milliseconds=self.ticks.milliseconds,
            )
        )
        self.web: FlaskClient = create_app(self.service).test_client()

    def lender(self, number: int) -> Person:
        key = self.stage.keys[number]
        assert key.certificate is not None
        self.photos.photos[key.sub] = jpeg("reference")
        person = Person(key.sub, key.key, key.certificate, self.service.parts.clock)
        person.consent(self.web)
        return person

    def on_channel(self, ses: str) -> Session:
        return parse_session(self.contract.evaluate("GetSession", ses))

    def close(self) -> None:
        self.service.parts.database.close()
        self.stage.close()


@pytest.fixture(scope="module")
def platform(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    opened = Platform(network, tmp_path_factory.mktemp("identity"))
    yield opened
    opened.close()


def test_a_passed_check_is_on_the_channel_before_the_answer(platform: Platform) -> None:
    lender = platform.lender(0)
    check = Streaming.open(platform.web, lender, platform.ticks)
    assert check.send("ask").get_json()["state"] == "open"
    body = check.send("over accept").get_json()
    assert body["state"] == "recorded"
    assert platform.on_channel(body["ses"]).as_json() == body["record"]


def test_the_chaincode_refuses_what_was_altered_on_the_way(platform: Platform) -> None:
    body = platform.lender(1).check(platform.web).get_json()
    good = platform.on_channel(body["ses"])
    fresh = replace(good, ses=base64url.encode(secrets.token_bytes(16)))
    other = platform.stage.keys[2].sub
    altered = {
        "SESSION_EXISTS": replace(good, mtg="another-meeting"),
        "KEY_FOREIGN": replace(fresh, sub=other),
        "ENROLMENT_FOREIGN": replace(fresh, institution="InstitutionBMSP"),
        "ENROLMENT_NOT_FOUND": replace(fresh, sub=base64url.encode(secrets.token_bytes(16))),
    }
    for code, session in altered.items():
        proposal = platform.contract.new_proposal(
            "RecordSessions", arguments=[json.dumps([session.as_json()])]
        )
        answer = json.loads(proposal.endorse().result)
        assert [entry[1] for entry in (*answer.get("refused", ()), *answer.get("pending", ()))] == [code]


def test_a_foreign_lender_meeting_and_key_are_refused_by_the_service(platform: Platform) -> None:
    lender, stranger = platform.lender(0), platform.lender(1)
    foreign: dict[str, dict[str, Any]] = {
        "CHECK_FOREIGN_LENDER": {"sub": stranger.sub},
        "CHECK_FOREIGN_MEETING": {"mtg": "another-meeting"},
        "CHECK_FOREIGN_KEY": {"key": stranger.key, "x5t": stranger.x5t},
    }
    for code, other in foreign.items():
        assert lender.check(platform.web, **other).get_json()["code"] == code


def test_an_unknown_pseudonym_is_refused_by_what_the_channel_says(platform: Platform) -> None:
    stranger = Person.new(platform.service.parts.clock)
    assert stranger.open(platform.web, MEETING).get_json()["code"] == "ENROLMENT_NOT_FOUND"


def test_nobody_is_checked_for_a_meeting_that_the_channel_has_not_announced(platform: Platform) -> None:
    lender = platform.lender(0)
    assert lender.open(platform.web, "no-such-meeting").get_json()["code"] == "MEETING_NOT_FOUND"
    roll = platform.stage.roll("only-proposed")
    meeting, frozen = platform.stage.build("only-proposed", roll)
    platform.stage.services.convener(INSTITUTION).propose(meeting, frozen)
    assert lender.open(platform.web, "only-proposed").get_json()["code"] == "MEETING_NOT_RUNNING"


def test_a_meeting_is_not_settled_while_the_channel_says_that_it_runs(platform: Platform) -> None:
    officer = OfficerCaller(KnownOfficer(f"{INSTITUTION}/officer", INSTITUTION, "x5t", b""), "statement")
    with pytest.raises(ServiceRefused, match="MEETING_NOT_SETTLED"):
        platform.service.officers.settle(officer, INSTITUTION, MEETING)


def test_the_verifiers_certificate_is_renewed_in_mid_meeting(
    network: LiveNetwork, platform: Platform, tmp_path: Path
) -> None:
    org = network.profile.org(ASSOCIATION)
    files = org.identity("verifier")
    shutil.copy(files.cert, tmp_path / "cert.pem")
    shutil.copy(files.key, tmp_path / "key.pem")
    lender = platform.lender(2)
    before = lender.check(platform.web).get_json()
    old = x509.load_pem_x509_certificate(files.cert.read_bytes())
    name = str(old.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
    key = generate_key()
    try:
        with CAClient(org.ca.url, org.ca.names["identity"], org.ca.tls_root.read_bytes()) as ca:
            registrar = ca.registrar(files.cert.read_bytes(), key_from_pem(files.key.read_bytes()))
            renewed = registrar.reenroll(name, key, attributes=["role"])
        files.cert.write_bytes(renewed.cert_pem)
        # Certificate and key don't fit together now: what was in use goes on.
        between = lender.check(platform.web).get_json()
        files.key.write_bytes(key_to_pem(key))
        after = lender.check(platform.web).get_json()
        assert [body["state"] for body in (before, between, after)] == ["recorded"] * 3
        signer = platform.contract._current()._session.identity.cert_pem
        assert signer == renewed.cert_pem
        assert platform.on_channel(after["ses"]).sub == lender.sub
    finally:
        shutil.copy(tmp_path / "cert.pem", files.cert)
        shutil.copy(tmp_path / "key.pem", files.key)


def test_without_a_network_nothing_is_shown_and_the_check_waits(platform: Platform) -> None:
    class Unreachable:
        def record(self, *_: object) -> None:
            raise NotRecorded(None)

    outcomes = platform.service.parts.outcomes
    recording = outcomes._recording
    outcomes._recording = Unreachable()  # type: ignore[assignment]
    body = platform.lender(1).check(platform.web).get_json()
    outcomes._recording = recording
    assert (body["state"], body["record"]) == ("recording", None)
    assert outcomes.resume() == 1
    assert platform.on_channel(body["ses"]).institution == INSTITUTION
