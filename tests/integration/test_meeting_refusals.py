"""Every kind of bad ballot at a live meeting: the chaincode and Python refuse with the same code."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from client.ca import CAClient, build_csr
from client.encodings import base64url, cbor, jcs
from client.encodings.batch import Entry, encode_batch
from client.encodings.entries import raw_entry
from client.encodings.errors import Refused
from client.encodings.judge import Accepted, Context, Held, HeldBallot, Pending, judge_entry
from client.enrolment.approvals import InsecureApprovals
from client.enrolment.issuer import to_der
from client.enrolment.lender import LenderKey
from client.gateway.errors import EndorseError, EvaluateError
from client.platform.chain import commit, refusal_code
from client.platform.registers import DatabaseRecords, load_meeting, roll_entry
from client.platform.verdicts import Verdicts
from client.services import ASSOCIATION, REGULATOR
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.vectors import form_cases, judge_cases, scene
from tests.vectors.cases import Author, Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from client.encodings.records import Session
    from client.platform.chain import Contract
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    opened = Stage.set(network.profile, folder, lenders=16)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def relay(stage: Stage) -> Contract:
    return stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)


def verdict_of(answer: bytes, size: int = 1) -> list[str]:
    """Return each entry's verdict: accepted, held, or a code."""
    verdicts = Verdicts.parse(answer, size)
    return [verdicts.of(index) for index in range(size)]


def judged(entry: Entry, context: Context) -> str:
    """Return what Python's judge says, in the same words."""
    try:
        verdict = judge_entry(entry, context)
    except Refused as refused:
        return refused.code
    match verdict:
        case Pending(code):
            return code
        case Held():
            return "held"
        case Accepted():
            return "accepted"


# -- the vectors' cases, made again for a meeting of this network ---------------------------------------


@pytest.fixture(scope="module")
def live_scenes(stage: Stage) -> dict[str, scene.Scene]:
    """Hold the vectors' meetings here, with certificates by the real lender CA and checks on `identity`."""
    services, run = stage.services, secrets.token_hex(3)
    enrolment = services.enrolment(INSTITUTION, InsecureApprovals())
    lenders = {}
    for name, lender in scene.make_lenders().items():
        secret = enrolment._registrar.register(lender.sub)
        pem = enrolment._ca.enroll_csr(lender.sub, secret, build_csr(lender.sub, lender.key)).cert_pem
        lenders[name] = replace(lender, certificate=to_der(pem))
    verifier = services.identity(ASSOCIATION, "verifier")
    documents = [
        {
            name: lender.enrolment().as_json()[name]
            for name in ("sub", "certificate", "institution", "method", "commitment")
        }
        for lender in lenders.values()
    ]
    enrolled = commit(verifier, "Enrol", jcs.dumps(documents))
    assert verdict_of(enrolled.result, len(documents)) == ["accepted"] * len(documents)
    live = {}
    for name, example in scene.scenes().items():
        mtg = f"{example.meeting.mtg}-{run}"
        changes = {
            "revote": example.meeting.revote,
            "cap_height": example.meeting.roll.cap_height,
            "motions": jcs.loads(example.meeting.record)["motions"],
            "genesis": dict(services.genesis(INSTITUTION)),
        }
        made = scene.make_scene(mtg, len(example.leaves) - len(lenders), **changes)
        live[name] = scene.Scene(made.meeting, made.leaves, lenders)
        if name == SPECIAL:
            continue
        _hold(stage, live[name])
        sessions = [live[name].session(lender).as_json() for lender in lenders.values()]
        recorded = commit(verifier, "RecordSessions", jcs.dumps(sessions))
        assert verdict_of(recorded.result, len(sessions)) == ["accepted"] * len(sessions)
    return live


def _hold(stage: Stage, there: scene.Scene) -> None:
    officer = stage.services.arbitration(INSTITUTION, "officer", INSTITUTION)
    regulator = stage.services.arbitration(REGULATOR, "officer", INSTITUTION)
    meeting = there.meeting
    commit(officer, "ProposeMeeting", meeting.record, cbor.dumps(list(there.cap)))
    commit(regulator, "ConfirmMeeting", meeting.mtg, meeting.mh)
    step = jcs.dumps({"to": "open", "at": meeting.opens_at})
    digest = json.loads(commit(officer, "ProposeStep", meeting.mtg, step).result)["digest"]
    commit(regulator, "ConfirmStep", meeting.mtg, digest)


def _reproducible(case: Case) -> bool:
    """Whether a case needs nothing but the lender's own enrolment and check."""
    author = next(lender for lender in case.scene.lenders.values() if case.enrolment == lender.enrolment())
    besides = (case.held, case.session_used, case.mandate, case.amended)
    return case.session == case.scene.session(author) and set(besides) == {None}


SPECIAL = "special"
"""The scene whose meeting is not held here: its record is in the place of one that was not held either."""


def _cases(live: dict[str, scene.Scene]) -> list[Case]:
    plain = Author(live["plain"], live["plain"].lenders["bo"])
    own = {lender.x5t for lender in live["plain"].lenders.values()}
    every = [*form_cases.form_cases(plain), *judge_cases.reject_cases(live)]
    held = [case for case in every if case.meeting != SPECIAL]
    known = [case for case in held if case.enrolment and case.enrolment.x5t in own]
    return [case for case in known if case.enrolment.rev == 1 and _has_own(case)]  # type: ignore[union-attr]


def _has_own(case: Case) -> bool:
    enrolments = [lender.enrolment() for lender in case.scene.lenders.values()]
    return case.enrolment in enrolments and _reproducible(case)


def _bystander(case: Case) -> scene.Lender:
    """Return a lender who is neither a case's author nor its voter."""
    words = repr(case.entry)
    others = (one for one in case.scene.lenders.values() if one.enrolment() != case.enrolment)
    return next(one for one in others if repr(base64url.decode(one.sub, 16)) not in words)


def test_every_reject_vector_that_needs_no_other_context_is_refused_alike(
    live_scenes: dict[str, scene.Scene], relay: Contract
) -> None:
    cases = _cases(live_scenes)
    assert len(cases) > 180
    different = []
    for case in cases:
        meeting = case.scene.meeting
        good = Author(case.scene, _bystander(case)).compact()
        answer = relay.evaluate("SubmitBallots", encode_batch(meeting.mtg, [case.entry, good]))
        context = Context(meeting, case.scene.cap, case.enrolment, case.session)
        own, rest = verdict_of(answer, 2)
        verdicts = (case.code, own, judged(case.entry, context))
        if len(set(verdicts)) != 1 or rest != "accepted":
            different.append((case.name, *verdicts, rest))
    assert different == []


def test_a_refused_vector_never_fails_its_batch(live_scenes: dict[str, scene.Scene], relay: Contract) -> None:
    plain = live_scenes["plain"]
    bad = next(case for case in _cases(live_scenes) if case.code == "ROLL_PROOF" and case.scene is plain)
    good = Author(plain, plain.lenders["an"])
    committed = commit(relay, "SubmitBallots", encode_batch(plain.meeting.mtg, [bad.entry, good.compact()]))
    assert verdict_of(committed.result, 2) == ["ROLL_PROOF", "accepted"]
    again = commit(relay, "SubmitBallots", encode_batch(plain.meeting.mtg, [good.raw(good.good())]))
    assert verdict_of(again.result) == ["held"]


# -- what depends on identity, sessions and history -------------------------------------------------------


@dataclass
class Bad:
    """A ballot with what it is to be judged against, and the code due."""

    code: str
    signed: SignedBallot
    session: Session | None = None
    held: HeldBallot | None = None
    session_used: str | None = None


class Trouble:
    """Writes bad ballots for an open meeting of the stage, recording what they need on the channels."""

    def __init__(self, stage: Stage, meeting: Meeting) -> None:
        self.stage, self.meeting = stage, meeting
        self.file = load_meeting(stage.services.database, meeting.mtg)
        self.records = DatabaseRecords(stage.services.database)

    def session(self, lender: int, **changes: Any) -> Session:
        """Record an identity check, as it really is or with something wrong about it."""
        ses = self.stage.sessions(self.meeting, [self.stage.keys[lender]])[0]
        good = self.records.session(ses)
        assert good is not None
        if not changes:
            return good
        odd = replace(good, ses=base64url.encode(secrets.token_bytes(16)), **changes)
        verifier = self.stage.services.identity(ASSOCIATION, "verifier")
        answer = commit(verifier, "RecordSessions", jcs.dumps([odd.as_json()])).result
        assert verdict_of(answer) == ["accepted"]
        return odd

    def sign(self, lender: int, ses: str, seq: int = 1, key: LenderKey | None = None) -> SignedBallot:
        signer = key or self.stage.keys[lender]
        return signer.sign(
            self.meeting, {"m1": "approve", "m2": "approve"}, ses=ses, iat=self.stage.clock(), seq=seq
        )

    def entry(self, signed: SignedBallot, ack_no: int = 1) -> Entry:
        found = roll_entry(self.stage.services.database, self.meeting.mtg, signed.ballot.sub)
        assert found is not None
        index, leaf = found
        return raw_entry(
            signed.compact,
            leaf.encode(),
            index=index,
            proof=self.file.tree.run_path(index, self.meeting.roll.cap_height),
            ack_no=ack_no,
            ack_time=int(self.stage.clock().timestamp()),
        )

    def context(self, bad: Bad) -> Context:
        enrolment = self.records.enrolment(bad.signed.ballot.sub, INSTITUTION)
        return Context(self.meeting, self.file.cap, enrolment, bad.session, bad.held, bad.session_used)


def _impostors(trouble: Trouble) -> Iterator[Bad]:
    keys, session = trouble.stage.keys, trouble.session(0)
    own_name = LenderKey(INSTITUTION, keys[0].sub, keys[9].key, keys[9].certificate)
    yield Bad("KEY_FOREIGN", trouble.sign(0, session.ses, key=own_name), session)
    session = trouble.session(1)
    false_name = LenderKey(INSTITUTION, keys[1].sub, keys[9].key, keys[1].certificate)
    yield Bad("SIGNATURE_INVALID", trouble.sign(1, session.ses, key=false_name), session)


def _bad_sessions(trouble: Trouble) -> Iterator[Bad]:
    stage = trouble.stage
    other = stage.keys[9]
    yield Bad("SESSION_NOT_FOUND", trouble.sign(2, base64url.encode(secrets.token_bytes(16))))
    mistakes: Sequence[tuple[int, str, dict[str, Any]]] = (
        (3, "SESSION_FOREIGN_LENDER", {"sub": other.sub, "x5t": other.x5t}),
        (4, "SESSION_FOREIGN_MEETING", {"mtg": "another-meeting"}),
        (6, "SESSION_METHOD", {"method": "palm-v1"}),
        (7, "SESSION_OUTCOME", {"outcome": "reject"}),
        (8, "SESSION_EXPIRED", {"issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:30:00Z"}),
    )
    for lender, code, changes in mistakes:
        session = trouble.session(lender, **changes)
        yield Bad(code, trouble.sign(lender, session.ses), session)


def test_ballots_that_identity_or_sessions_refute_are_refused_alike_and_the_rest_counts(
    stage: Stage, relay: Contract
) -> None:
    meeting = stage.open()
    trouble = Trouble(stage, meeting)
    bad = [*_impostors(trouble), *_bad_sessions(trouble)]
    good = trouble.sign(10, trouble.session(10).ses)
    entries = [trouble.entry(item.signed) for item in bad]
    committed = commit(relay, "SubmitBallots", encode_batch(meeting.mtg, [*entries, trouble.entry(good)]))
    codes = [item.code for item in bad]
    assert verdict_of(committed.result, len(bad) + 1) == [*codes, "accepted"]
    assert [judged(entry, trouble.context(item)) for entry, item in zip(entries, bad, strict=True)] == codes
    held = json.loads(relay.evaluate("GetBallot", meeting.mtg, good.ballot.sub))
    assert held["digest"] == good.digest
    history = json.loads(relay.evaluate("GetBallotHistory", meeting.mtg, good.ballot.sub))
    assert history == [{"ballot": held, "tx": committed.tx}]
    for item in bad:
        assert relay.evaluate("GetBallot", meeting.mtg, item.signed.ballot.sub) == b"null"


def test_after_revocation_only_the_new_key_votes_and_only_with_a_new_check(
    stage: Stage, relay: Contract
) -> None:
    meeting = stage.open()
    trouble = Trouble(stage, meeting)
    lender = len(stage.keys) - 1
    old, session = stage.keys[lender], trouble.session(lender)
    by_old = trouble.sign(lender, session.ses)
    stage.revoke(old)
    assert submit(relay, meeting, trouble.entry(by_old)) == "KEY_REVOKED"
    new = _renew(stage, old)
    assert submit(relay, meeting, trouble.entry(by_old)) == "KEY_FOREIGN"
    by_new = trouble.sign(lender, session.ses, key=new)
    assert submit(relay, meeting, trouble.entry(by_new)) == "SESSION_FOREIGN_KEY"
    again = replace(session, ses=base64url.encode(secrets.token_bytes(16)), x5t=new.x5t)
    verifier = stage.services.identity(ASSOCIATION, "verifier")
    commit(verifier, "RecordSessions", jcs.dumps([again.as_json()]))
    assert submit(relay, meeting, trouble.entry(trouble.sign(lender, again.ses, key=new))) == "accepted"


def submit(relay: Contract, meeting: Meeting, entry: Entry) -> str:
    return verdict_of(commit(relay, "SubmitBallots", encode_batch(meeting.mtg, [entry])).result)[0]


def _renew(stage: Stage, old: LenderKey) -> LenderKey:
    """Certify a new key of the same lender, and enrol it in place of the revoked one."""
    new = LenderKey.generate(INSTITUTION, old.sub)
    ca = stage.services.enrolment(INSTITUTION, InsecureApprovals())._ca
    assert isinstance(ca, CAClient)
    assert old.certificate is not None
    pem = load_der_x509_certificate(old.certificate).public_bytes(Encoding.PEM)
    new = new.with_certificate(ca.registrar(pem, old.key).reenroll_csr(old.sub, new.csr()).cert_pem)
    document = {
        "sub": new.sub,
        "certificate": base64.b64encode(new.certificate or b"").decode(),
        "institution": INSTITUTION,
        "method": "insecure-demo",
        "commitment": base64url.encode(secrets.token_bytes(32)),
    }
    verifier = stage.services.identity(ASSOCIATION, "verifier")
    assert verdict_of(commit(verifier, "Enrol", jcs.dumps([document])).result) == ["accepted"]
    return new


def test_entries_of_a_wrong_form_are_refused_in_their_place(stage: Stage, relay: Contract) -> None:
    meeting = stage.open()
    trouble = Trouble(stage, meeting)
    good = trouble.entry(trouble.sign(0, trouble.session(0).ses)).as_cbor()
    huge = [1, "x" * 4200, b"", 0, [], 1, 1]
    batch = cbor2.dumps([1, meeting.mtg, [huge, [7], "no entry", good]], canonical=True)
    answer = commit(relay, "SubmitBallots", batch).result
    assert verdict_of(answer, 4) == ["ENTRY_TOO_LARGE", "ENTRY_FORMAT", "ENTRY_FORMAT", "accepted"]


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        (b"not a batch", "BATCH_FORMAT"),
        (cbor2.dumps([2, "m-1", [[7]]]), "BATCH_FORMAT"),
        (cbor2.dumps([1, "No Meeting", [[7]]]), "BATCH_MEETING"),
        (cbor2.dumps([1, "m-1", []]), "BATCH_EMPTY"),
        (cbor2.dumps([1, "nowhere", [[7]]]), "MEETING_NOT_FOUND"),
        (cbor2.dumps([1, "m-1", ["x" * 4_000_001]]), "BATCH_TOO_LARGE"),
    ],
)
def test_a_batch_that_is_none_is_refused_as_a_whole(relay: Contract, batch: bytes, code: str) -> None:
    with pytest.raises((EndorseError, EvaluateError)) as caught:
        relay.new_proposal("SubmitBallots", arguments=[batch]).endorse()
    assert refusal_code(caught.value) == code
