from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from client.ca import AlreadyRegistered, AuthenticationFailed, CAUnavailable, Enrollment
from client.encodings import base64url, commitment, jcs
from client.encodings.errors import Refused
from client.enrolment.evidence import Evidence, unseal
from client.enrolment.lender import LenderKey
from client.enrolment.service import EnrolmentService
from client.errors import UserError
from client.gateway.errors import EndorseError
from client.meetings.lenders import LenderRegister
from client.platform import SealedError, Vault
from client.platform.models import IdentitySession, Lender
from client.rolls import Person
from client.sessions import InsecureDemoChecks, SessionRecorder
from tests.ledger import Faults, Ledger, Stub
from tests.unit.platform.scene import INSTITUTION, OPENS, Authority, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from client.platform import Database

PERSONS = [
    Person("张伟", "passport", "E12345678", "13800138000", "zhang.wei@example.org"),
    Person("欧阳娜娜", "passport", "G87654321", "13900139000", "ouyang@example.org"),
    Person("李娜", "other", "HK-556677"),
]


class Killed(BaseException):
    """The process that was about to hear the CA's answer is gone."""


@dataclass
class LenderCA:
    """The lender CA and its registrar: a pseudonym once, a secret once. `kill_after` loses one answer."""

    authority: Authority = field(default_factory=lambda: Authority("lender-ca"))
    secrets: dict[str, str] = field(default_factory=dict)
    registered: list[str] = field(default_factory=list)
    issued: dict[str, list[bytes]] = field(default_factory=dict)
    is_down: bool = False
    kill_after: str = ""

    def register(self, name: str, secret: str | None = None, /) -> str:
        if self.is_down:
            raise CAUnavailable("the lender CA can't be reached")
        if name in self.registered:
            raise AlreadyRegistered("registered before", status=500, code=74, reason="")
        assert secret is not None
        self.registered.append(name)
        self.secrets[name] = secret
        self._answer("register")
        return secret

    def enroll_csr(self, name: str, secret: str, csr_pem: bytes, /) -> Enrollment:
        if self.is_down:
            raise CAUnavailable("the lender CA can't be reached")
        if self.secrets.get(name) != secret:
            raise AuthenticationFailed("used up", status=401, code=20, reason="")
        del self.secrets[name]
        request = x509.load_pem_x509_csr(csr_pem)
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert request.subject.rfc4514_string() == f"CN={name}"
        self.issued.setdefault(name, []).append(self.authority.issue(name, key))
        self._answer("enroll")
        return Enrollment(self.issued[name][-1], b"")

    def certificates(self, name: str, /) -> tuple[bytes, ...]:
        return tuple(self.issued.get(name, ()))

    def _answer(self, of: str) -> None:
        if self.kill_after == of:
            self.kill_after = ""
            raise Killed


@dataclass
class IdentityChannel:
    """`Enrol` and `RecordSessions` with the real verdicts' form."""

    refuse: dict[str, str] = field(default_factory=dict)  # pseudonym or session -> code

    def ledger(self) -> Ledger:
        return Ledger({"Enrol": self.record, "RecordSessions": self.record})

    def record(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:
        held, refused = [], []
        items = jcs.loads_canonical(arguments[0])
        for index, item in enumerate(items):
            name = item.get("ses", item["sub"])
            code = self.refuse.get(name) or self.refuse.get(item["sub"])
            if code:
                refused.append([index, code, 0])
            elif stub.get(name) == jcs.dumps(item):
                held.append(index)
            else:
                stub.put(name, jcs.dumps(item))
        accepted = len(items) - len(held) - len(refused)
        answer = {"v": 1, "accepted": accepted, "held": held, "refused": refused, "pending": []}
        return json.dumps(answer).encode()


@dataclass
class Office:
    """An enrolment office on a real database."""

    database: Database
    vault: Vault
    ca: LenderCA = field(default_factory=LenderCA)
    channel: IdentityChannel = field(default_factory=IdentityChannel)

    def __post_init__(self) -> None:
        self.ledger = self.channel.ledger()
        register = LenderRegister(self.database, self.vault)
        self.subs = register.pseudonyms(INSTITUTION, PERSONS)
        register.adopt(INSTITUTION, zip(PERSONS, self.subs, strict=True))
        self.keys = [LenderKey.generate(INSTITUTION, sub) for sub in self.subs]

    def service(self, faults: Faults | None = None) -> EnrolmentService:
        contract = self.ledger.contract("AssociationMSP/verifier", faults)
        return EnrolmentService(
            self.database, self.vault, INSTITUTION, registrar=self.ca, ca=self.ca, verifier=contract
        )

    def rows(self) -> Sequence[Lender]:
        with self.database.read() as session:
            rows = {row.sub: row for row in session.scalars(select(Lender))}
        return [rows[sub] for sub in self.subs]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, Vault.open(tmp_path / "keys" / "platform.key"))


def test_lenders_go_from_pseudonym_to_enrolled(office: Office) -> None:
    progress: list[tuple[str, int, int]] = []
    keys, report = office.service().enrol(
        office.keys, method="kyc-file", progress=lambda *step: progress.append(step)
    )
    assert (report.enrolled, report.refused) == (3, {})
    assert [row.status for row in office.rows()] == ["enrolled"] * 3
    assert [row.x5t for row in office.rows()] == [key.x5t for key in keys]
    assert progress == [("certify", 1, 3), ("certify", 2, 3), ("certify", 3, 3), ("enrol", 3, 3)]
    assert office.service().counts() == {"enrolled": 3}


def test_enrolling_again_changes_nothing(office: Office) -> None:
    keys, _ = office.service().enrol(office.keys, method="kyc-file")
    before = [(row.x5t, row.commitment, row.enrolment_tx, row.rev) for row in office.rows()]
    _, report = office.service().enrol(keys, method="kyc-file")
    assert report.enrolled == 3
    assert [(row.x5t, row.commitment, row.enrolment_tx, row.rev) for row in office.rows()] == before
    assert len(office.ca.registered) == 3


def test_the_channel_gets_a_commitment_that_the_sealed_evidence_opens(office: Office) -> None:
    office.service().enrol(office.keys, method="kyc-file", evidence={"policy": "p-1"})
    row = office.rows()[0]
    stored = json.loads(office.ledger.state[row.sub][0])
    assert row.evidence_encrypted is not None
    opened = unseal(office.vault, "lenders", row.id, row.evidence_encrypted)
    commitment.verify_commitment(stored["commitment"], opened.salt, opened.content)
    assert opened.content["policy"] == "p-1"
    with pytest.raises(SealedError):
        unseal(office.vault, "lenders", office.rows()[1].id, row.evidence_encrypted)


def test_a_run_that_broke_off_goes_on_where_it_was(office: Office) -> None:
    broken = office.service(Faults.of(["down"]))
    with pytest.raises(EndorseError):
        broken.enrol(office.keys, method="kyc-file")
    assert [row.status for row in office.rows()] == ["certified"] * 3
    office.ca.is_down = True  # it isn't needed again: the certificates are here
    _, report = office.service().enrol(office.keys, method="kyc-file")
    assert report.enrolled == 3


def test_another_key_for_a_certified_lender_is_not_certified_on_a_used_secret(office: Office) -> None:
    office.service().certify(office.keys)
    with pytest.raises(UserError, match="revoke it there"):
        office.service().certify([LenderKey.generate(INSTITUTION, office.subs[0])])


@pytest.mark.parametrize("moment", ["register", "enroll"])
def test_a_run_that_was_killed_before_it_heard_the_ca_goes_on(office: Office, moment: str) -> None:
    office.ca.kill_after = moment
    with pytest.raises(Killed):
        office.service().certify(office.keys)
    certified = office.service().certify(office.keys)
    assert [row.status for row in office.rows()] == ["certified"] * 3
    assert sorted(office.ca.registered) == sorted(office.subs)
    for key in certified:
        (issued,) = office.ca.issued[key.sub]
        assert key.with_certificate(issued).x5t == key.x5t
    assert [row.secret_encrypted for row in office.rows()] == [None] * 3


def test_a_pseudonym_that_somebody_else_registered_is_left_alone(office: Office) -> None:
    office.ca.registered.append(office.subs[1])
    for _ in range(2):
        with pytest.raises(UserError, match="revoke it there"):
            office.service().certify(office.keys)
    assert office.rows()[1].status == "imported"


def test_a_certificate_for_another_key_does_not_pass_for_a_lost_answer(office: Office) -> None:
    office.ca.kill_after = "enroll"
    with pytest.raises(Killed):
        office.service().certify(office.keys[:1])
    with pytest.raises(UserError, match="revoke it there"):
        office.service().certify([LenderKey.generate(INSTITUTION, office.subs[0])])


def test_who_is_recorded_already_is_not_sent_again(office: Office) -> None:
    keys, _ = office.service().enrol(office.keys[:2], method="kyc-file")
    everybody = office.service().certify(office.keys)
    before = len(office.ledger.settled)
    report = office.service().record(everybody, method="kyc-file")
    assert (report.enrolled, report.refused) == (3, {})
    assert len(office.ledger.settled) == before + 1
    assert office.service().record(keys, method="kyc-file").enrolled == 2
    assert len(office.ledger.settled) == before + 1


def test_a_lost_answer_is_repeated_as_a_success(office: Office) -> None:
    keys = office.service().certify(office.keys)
    with pytest.raises(Exception, match="no answer"):
        office.service(Faults.of(["ok", "lost"])).record(keys, method="kyc-file")
    report = office.service().record(keys, method="kyc-file")
    assert report.enrolled == 3


def test_a_ca_that_is_down_changes_nothing(office: Office) -> None:
    office.ca.is_down = True
    with pytest.raises(CAUnavailable):
        office.service().enrol(office.keys, method="kyc-file")
    assert [row.status for row in office.rows()] == ["imported"] * 3
    assert office.ledger.settled == {}


def test_a_refused_lender_is_named_and_the_others_are_enrolled(office: Office) -> None:
    office.channel.refuse[office.subs[1]] = "CERT_CHAIN"
    _, report = office.service().enrol(office.keys, method="kyc-file")
    assert (report.enrolled, report.refused) == (2, {office.subs[1]: "CERT_CHAIN"})
    assert [(row.status, row.code) for row in office.rows()] == [
        ("enrolled", None),
        ("certified", "CERT_CHAIN"),
        ("enrolled", None),
    ]


def test_a_stranger_is_refused_before_anything_is_sent(office: Office) -> None:
    stranger = LenderKey.generate(INSTITUTION, base64url.encode(b"s" * 16))
    with pytest.raises(UserError, match="import its roll first"):
        office.service().enrol([stranger], method="kyc-file")
    assert office.ca.registered == []


def test_the_database_file_holds_nothing_personal_in_clear(office: Office, tmp_path: Path) -> None:
    office.service().enrol(office.keys, method="kyc-file", evidence={"clerk": "王芳"})
    recorder = SessionRecorder(office.database, office.vault, office.ledger.contract())
    InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", office.subs)
    office.database.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("platform.db*"))
    assert office.subs[0].encode() in raw
    personal = {value for person in PERSONS for value in person.as_json().values()}
    for value in {*personal, "王芳"} - {"passport", "other", ""}:
        for encoding in ("utf-8", "utf-16-le", "gb18030"):
            assert value.encode(encoding) not in raw, value


def test_the_same_person_keeps_the_pseudonym_and_another_institution_gives_another(office: Office) -> None:
    register = LenderRegister(office.database, office.vault)
    moved = replace(PERSONS[0], phone="", email="new@example.org")
    assert register.pseudonyms(INSTITUTION, [moved, PERSONS[2]]) == [office.subs[0], office.subs[2]]
    assert register.pseudonyms("InstitutionBMSP", [PERSONS[0]]) != [office.subs[0]]
    assert register.person(INSTITUTION, office.subs[1])["name"] == "欧阳娜娜"


def test_a_roll_with_another_pseudonym_for_a_known_lender_is_refused(office: Office) -> None:
    register = LenderRegister(office.database, office.vault)
    with pytest.raises(UserError, match="known as"):
        register.adopt(INSTITUTION, [(PERSONS[0], base64url.encode(b"n" * 16))])


def test_a_lenders_key_file_is_private_and_comes_back(office: Office, tmp_path: Path) -> None:
    (certified,) = office.service().certify(office.keys[:1])
    path = tmp_path / "lender.json"
    certified.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert LenderKey.load(path).x5t == certified.x5t
    with pytest.raises(UserError, match="can't be written"):
        certified.save(path)
    path.write_text("{}")
    with pytest.raises(UserError, match="not a lender's key file"):
        LenderKey.load(path)


def test_a_certificate_for_another_key_is_refused(office: Office) -> None:
    other = Authority("x").issue(office.subs[0], ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(UserError, match="not for the key"):
        office.keys[0].with_certificate(other)


# -- identity checks -------------------------------------------------------------------------------------


@pytest.fixture
def recorder(office: Office) -> SessionRecorder:
    office.service().enrol(office.keys, method="kyc-file")
    return SessionRecorder(office.database, office.vault, office.ledger.contract())


def sessions(office: Office) -> list[IdentitySession]:
    with office.database.read() as session:
        return list(session.scalars(select(IdentitySession)))


def test_the_stand_in_says_that_nobody_is_verified(
    office: Office, recorder: SessionRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        checks = InsecureDemoChecks(recorder, clock=lambda: OPENS)
    assert "NOBODY IS VERIFIED" in caplog.text
    recorded = checks.check(INSTITUTION, "m-1", office.subs)
    assert {item.session.method for item in recorded} == {"insecure-demo"}
    assert len({item.tx for item in recorded}) == 1
    assert recorder.evidence(recorded[0].session.ses).content["verified"] is False
    assert [row.status for row in sessions(office)] == ["recorded"] * 3


def test_a_check_is_kept_before_it_is_sent_and_counts_only_when_committed(
    office: Office, recorder: SessionRecorder
) -> None:
    down = SessionRecorder(office.database, office.vault, office.ledger.contract(faults=Faults.of(["down"])))
    with pytest.raises(EndorseError):
        InsecureDemoChecks(down).check(INSTITUTION, "m-1", office.subs[:1])
    assert [row.status for row in sessions(office)] == ["prepared"]
    assert recorder.evidence(sessions(office)[0].ses)


def test_a_check_that_the_channel_refuses_is_no_check(office: Office, recorder: SessionRecorder) -> None:
    office.channel.refuse[office.subs[0]] = "KEY_REVOKED"
    recorded = InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", office.subs[:2])
    assert [item.code for item in recorded] == ["KEY_REVOKED", None]
    good = recorded[0].session
    with pytest.raises(Refused, match="KEY_REVOKED"):
        recorder.record(good, recorder.evidence(good.ses))


def test_evidence_that_the_commitment_does_not_open_is_refused(
    office: Office, recorder: SessionRecorder
) -> None:
    good = InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", office.subs[:1])[0].session
    with pytest.raises(UserError, match="isn't what it commits to"):
        recorder.record(good, Evidence.of({"v": 1}))


def test_who_is_not_enrolled_gets_no_check(database: Database) -> None:
    scene = Scene(database, lenders=1)
    recorder = SessionRecorder(database, scene.vault, Ledger({}).contract())
    with pytest.raises(UserError, match="enrol first"):
        InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", [base64url.encode(b"s" * 16)])
