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
from client.enrolment.approvals import InsecureApprovals
from client.enrolment.evidence import Evidence, unseal
from client.enrolment.lender import LenderKey
from client.enrolment.service import EnrolmentService
from client.errors import UserError
from client.gateway.errors import EndorseError
from client.meetings.lenders import LenderRegister
from client.meetings.record import METHODS
from client.platform import SealedError, Vault
from client.platform.models import IdentitySession, Lender
from client.rolls import Person
from client.sessions import InsecureDemoChecks, SessionRecorder
from tests.ledger import Faults, Ledger, Stub
from tests.unit.platform.scene import INSTITUTION, OPENS, Authority, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from client.enrolment.approvals import Approved
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


@dataclass(frozen=True)
class Passed:
    ses: str
    method: str
    opening: Evidence


@dataclass
class Checks:
    """What an identity service approved, by lender and key; it forgets what was taken."""

    standing: dict[tuple[str, str], Passed] = field(default_factory=dict)
    taken_ones: list[str] = field(default_factory=list)

    def passes(self, key: LenderKey) -> None:
        evidence = Evidence.of({"v": 2, "sub": key.sub, "key": key.thumbprint, "clerk": "王芳"})
        self.standing[key.sub, key.thumbprint] = Passed(f"check of {key.sub}", "face-v1", evidence)

    def approval(self, institution: str, sub: str, key: str, /) -> Passed | None:
        assert institution == INSTITUTION
        return self.standing.get((sub, key))

    def taken(self, approved: Approved, /) -> None:
        self.taken_ones.append(approved.ses)
        self.standing = {at: one for at, one in self.standing.items() if one.ses != approved.ses}


@dataclass
class Office:
    """An enrolment office on a real database."""

    database: Database
    vault: Vault
    ca: LenderCA = field(default_factory=LenderCA)
    channel: IdentityChannel = field(default_factory=IdentityChannel)
    checks: Checks = field(default_factory=Checks)

    def __post_init__(self) -> None:
        self.ledger = self.channel.ledger()
        register = LenderRegister(self.database, self.vault)
        self.subs = register.pseudonyms(INSTITUTION, PERSONS)
        register.adopt(INSTITUTION, zip(PERSONS, self.subs, strict=True))
        self.keys = [LenderKey.generate(INSTITUTION, sub) for sub in self.subs]
        for key in self.keys:
            self.checks.passes(key)

    def service(self, faults: Faults | None = None) -> EnrolmentService:
        contract = self.ledger.contract("AssociationMSP/verifier", faults)
        return EnrolmentService(
            self.database,
            self.vault,
            INSTITUTION,
            registrar=self.ca,
            ca=self.ca,
            verifier=contract,
            approvals=self.checks,
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
    keys, report = office.service().enrol(office.keys, progress=lambda *step: progress.append(step))
    assert (report.enrolled, report.refused) == (3, {})
    assert [row.status for row in office.rows()] == ["enrolled"] * 3
    assert [row.x5t for row in office.rows()] == [key.x5t for key in keys]
    assert progress == [("certify", 1, 3), ("certify", 2, 3), ("certify", 3, 3), ("enrol", 3, 3)]
    assert office.service().counts() == {"enrolled": 3}


def test_who_passed_no_check_is_refused_before_the_ca_hears_of_it(office: Office) -> None:
    office.checks.standing.pop((office.subs[1], office.keys[1].thumbprint))
    keys, report = office.service().enrol(office.keys)
    assert (report.enrolled, report.refused) == (2, {office.subs[1]: "APPROVAL_MISSING"})
    assert [key.sub for key in keys] == [office.subs[0], office.subs[2]]
    assert office.subs[1] not in office.ca.registered
    assert office.subs[1] not in office.ledger.state
    assert office.rows()[1].status == "imported"


def test_a_check_passed_for_another_key_enrols_none(office: Office) -> None:
    another = LenderKey.generate(INSTITUTION, office.subs[0])
    _, report = office.service().enrol([another])
    assert report.refused == {office.subs[0]: "APPROVAL_MISSING"}
    assert office.ca.registered == []


def test_an_approval_is_taken_once_it_is_sealed_here_and_needed_no_more(office: Office) -> None:
    with pytest.raises(EndorseError):
        office.service(Faults.of(["down"])).enrol(office.keys)
    assert len(office.checks.taken_ones) == 3
    assert office.checks.standing == {}
    assert office.service().enrol(office.keys)[1].enrolled == 3


def test_a_key_that_nobody_checked_says_so(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        believed = InsecureApprovals()
    assert "NOBODY IS VERIFIED" in caplog.text
    approved = believed.approval(INSTITUTION, office.subs[0], office.keys[0].thumbprint)
    assert approved.method.startswith("insecure-")
    assert approved.opening.content["verified"] is False
    assert not any(method.startswith("insecure-") for method in METHODS)


def test_enrolling_again_changes_nothing(office: Office) -> None:
    keys, _ = office.service().enrol(office.keys)
    before = [(row.x5t, row.commitment, row.enrolment_tx, row.rev) for row in office.rows()]
    _, report = office.service().enrol(keys)
    assert report.enrolled == 3
    assert [(row.x5t, row.commitment, row.enrolment_tx, row.rev) for row in office.rows()] == before
    assert len(office.ca.registered) == 3


def test_the_channel_gets_a_commitment_that_the_sealed_evidence_opens(office: Office) -> None:
    office.service().enrol(office.keys)
    row = office.rows()[0]
    stored = json.loads(office.ledger.state[row.sub][0])
    assert row.evidence_encrypted is not None
    opened = unseal(office.vault, "lenders", row.id, row.evidence_encrypted)
    assert commitment.commit(opened.salt, opened.content) == stored["commitment"]
    assert opened.content["clerk"] == "王芳"
    assert (stored["method"], opened.content["key"]) == ("face-v1", office.keys[0].thumbprint)
    with pytest.raises(SealedError):
        unseal(office.vault, "lenders", office.rows()[1].id, row.evidence_encrypted)


def test_a_run_that_broke_off_goes_on_where_it_was(office: Office) -> None:
    broken = office.service(Faults.of(["down"]))
    with pytest.raises(EndorseError):
        broken.enrol(office.keys)
    assert [row.status for row in office.rows()] == ["certified"] * 3
    office.ca.is_down = True  # it isn't needed again: the certificates are here
    _, report = office.service().enrol(office.keys)
    assert report.enrolled == 3


def test_another_key_for_a_certified_lender_is_not_certified_on_a_used_secret(office: Office) -> None:
    office.service().enrol(office.keys)
    another = LenderKey.generate(INSTITUTION, office.subs[0])
    before = office.rows()[0].evidence_encrypted
    office.checks.passes(another)
    with pytest.raises(UserError, match="revoke it there"):
        office.service().enrol([another])
    assert office.rows()[0].evidence_encrypted == before


@pytest.mark.parametrize("moment", ["register", "enroll"])
def test_a_run_that_was_killed_before_it_heard_the_ca_goes_on(office: Office, moment: str) -> None:
    office.ca.kill_after = moment
    with pytest.raises(Killed):
        office.service().certify(office.keys)
    certified, _ = office.service().certify(office.keys)
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
    another = LenderKey.generate(INSTITUTION, office.subs[0])
    office.checks.passes(another)
    with pytest.raises(UserError, match="revoke it there"):
        office.service().certify([another])


def test_who_is_recorded_already_is_not_sent_again(office: Office) -> None:
    office.service().enrol(office.keys[:2])
    before = len(office.ledger.settled)
    _, report = office.service().enrol(office.keys)
    assert (report.enrolled, report.refused) == (3, {})
    assert len(office.ledger.settled) == before + 1
    assert office.service().enrol(office.keys[:2])[1].enrolled == 2
    assert len(office.ledger.settled) == before + 1


def test_a_lost_answer_is_repeated_as_a_success(office: Office) -> None:
    with pytest.raises(Exception, match="no answer"):
        office.service(Faults.of(["ok", "lost"])).enrol(office.keys)
    _, report = office.service().enrol(office.keys)
    assert report.enrolled == 3


def test_a_ca_that_is_down_changes_nothing(office: Office) -> None:
    office.ca.is_down = True
    with pytest.raises(CAUnavailable):
        office.service().enrol(office.keys)
    assert [row.status for row in office.rows()] == ["imported"] * 3
    assert office.ledger.settled == {}


def test_a_refused_lender_is_named_and_the_others_are_enrolled(office: Office) -> None:
    office.channel.refuse[office.subs[1]] = "CERT_CHAIN"
    _, report = office.service().enrol(office.keys)
    assert (report.enrolled, report.refused) == (2, {office.subs[1]: "CERT_CHAIN"})
    assert [(row.status, row.code) for row in office.rows()] == [
        ("enrolled", None),
        ("certified", "CERT_CHAIN"),
        ("enrolled", None),
    ]


def test_a_stranger_is_refused_before_anything_is_sent(office: Office) -> None:
    stranger = LenderKey.generate(INSTITUTION, base64url.encode(b"s" * 16))
    with pytest.raises(UserError, match="import its roll first"):
        office.service().enrol([stranger])
    assert office.ca.registered == []


def test_the_database_file_holds_nothing_personal_in_clear(office: Office, tmp_path: Path) -> None:
    office.service().enrol(office.keys)
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
    path = tmp_path / "lender.json"
    office.keys[0].save(path)
    (certified,), _ = office.service().enrol(office.keys[:1])
    certified.save(path, replace_own=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert LenderKey.load(path).x5t == certified.x5t
    with pytest.raises(UserError, match="can't be written"):
        certified.save(path)
    written = json.loads(path.read_text())
    wrongs: list[dict[str, object]] = [{}, *(written | one for one in ({"certificate": 5}, {"sub": 5}))]
    for wrong in (*wrongs, written | {"certificate": "x"}):
        path.write_text(json.dumps(wrong))
        with pytest.raises(UserError, match="not a lender's key file"):
            LenderKey.load(path)
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="not a lender's key file"):
        LenderKey.load(path)


def test_a_certificate_for_another_key_is_refused(office: Office) -> None:
    other = Authority("x").issue(office.subs[0], ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(UserError, match="not for the key"):
        office.keys[0].with_certificate(other)


# -- identity checks -------------------------------------------------------------------------------------


@pytest.fixture
def recorder(office: Office) -> SessionRecorder:
    office.service().enrol(office.keys)
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
    again = recorder.record_many([(good, recorder.evidence(good.ses))])
    assert [item.code for item in again] == ["KEY_REVOKED"]


def test_evidence_that_the_commitment_does_not_open_is_refused(
    office: Office, recorder: SessionRecorder
) -> None:
    good = InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", office.subs[:1])[0].session
    with pytest.raises(UserError, match="isn't what it commits to"):
        recorder.record_many([(good, Evidence.of({"v": 1}))])


def test_who_is_not_enrolled_gets_no_check(database: Database) -> None:
    scene = Scene(database, lenders=1)
    recorder = SessionRecorder(database, scene.vault, Ledger({}).contract())
    with pytest.raises(UserError, match="enrol first"):
        InsecureDemoChecks(recorder).check(INSTITUTION, "m-1", [base64url.encode(b"s" * 16)])
