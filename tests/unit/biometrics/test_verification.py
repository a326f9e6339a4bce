from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from biometrics.decision import Outcome
from biometrics.errors import ReferenceMissing, SessionRefused
from biometrics.picture import picture_of_pixels, read_picture
from biometrics.references import HeldReferences
from biometrics.session import Subject
from biometrics.verification import IdentityVerifier
from client.encodings import base64url, commitment, jcs, times
from client.encodings.records import session_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.matching import Matcher
    from biometrics.picture import Picture
    from biometrics.session import EvidenceOpening
    from client.encodings.records import Session

BLANK = np.full((480, 640, 3), 128, dtype=np.uint8)
NOW = times.parse("2026-03-01T08:00:00Z")
LI = Subject(base64url.encode(bytes(16)), base64url.encode(bytes(32)), "InstitutionAMSP", "m-1")
WANG = Subject(base64url.encode(bytes(15) + b"\1"), LI.x5t, "InstitutionAMSP", "m-1")


@dataclass
class Kept:
    """A recorder that keeps what it is given."""

    pairs: list[tuple[Session, EvidenceOpening]] = field(default_factory=list)

    def record(self, session: Session, opening: EvidenceOpening) -> None:
        self.pairs.append((session, opening))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Bench:
    verifier: IdentityVerifier
    kept: Kept
    clock: Clock


@pytest.fixture
def bench(matcher: Matcher, astronaut: Image.Image) -> Bench:
    kept, clock = Kept(), Clock()
    references = HeldReferences("kyc-file", {LI.sub: picture_of_pixels(np.asarray(astronaut), "kyc")})
    return Bench(IdentityVerifier(matcher, references, kept, clock=clock), kept, clock)


@pytest.fixture(scope="module")
def probe(astronaut: Image.Image, encode: Callable[..., bytes]) -> Picture:
    return read_picture(encode(astronaut.rotate(6, Image.Resampling.BICUBIC)), "probe")


def test_a_passed_check_is_recorded_as_a_session(bench: Bench, probe: Picture) -> None:
    opened = bench.verifier.open(LI)
    bench.clock.now += 20
    verification = bench.verifier.complete(opened.ses, LI, [probe])
    ((record, opening),) = bench.kept.pairs
    assert verification.session == record
    assert record.as_json() == {
        "v": 1,
        "ses": opened.ses,
        "sub": LI.sub,
        "x5t": LI.x5t,
        "institution": "InstitutionAMSP",
        "mtg": "m-1",
        "method": "face-v1",
        "outcome": "accept",
        "commitment": record.commitment,
        "issued_at": "2026-03-01T08:00:20Z",
        "expires_at": "2026-03-01T08:30:20Z",
    }
    assert session_from_json(record.as_json()) == record
    assert len(base64url.decode(opened.ses)) == 16
    evidence = jcs.loads_canonical(opening.evidence)
    commitment.verify_commitment(record.commitment, opening.salt, evidence)
    assert evidence["decision"]["distance"] == verification.decision.per_mille
    assert evidence["reference"]["source"] == "kyc-file"
    assert evidence["checks"] == ["match"]
    assert len(evidence["frames"]) == 1


def test_nothing_of_the_face_is_in_the_record(bench: Bench, probe: Picture) -> None:
    bench.verifier.complete(bench.verifier.open(LI).ses, LI, [probe])
    ((record, opening),) = bench.kept.pairs
    chain = json.dumps(record.as_json())
    evidence = jcs.loads(opening.evidence)
    for digest in (probe.file_digest, probe.pixel_digest):
        assert base64url.encode(digest) not in chain
        assert digest.hex() not in chain
    assert evidence["frames"][0] not in chain
    assert evidence["reference"]["digest"] not in chain
    assert str(opening.salt) not in repr(opening)


def test_the_same_evidence_commits_differently_each_time(bench: Bench, probe: Picture) -> None:
    salts = set()
    for _ in range(2):
        bench.verifier.complete(bench.verifier.open(LI).ses, LI, [probe])
        salts.add(bench.kept.pairs[-1][1].salt)
    first, second = (pair[0].commitment for pair in bench.kept.pairs)
    assert len(salts) == 2
    assert first != second


def test_what_did_not_pass_is_not_recorded(bench: Bench, astronaut: Image.Image) -> None:
    for frame, outcome in (
        (picture_of_pixels(BLANK, "no face"), Outcome.RETRY),
        (picture_of_pixels(np.asarray(astronaut), "the reference"), Outcome.REJECT),
    ):
        verification = bench.verifier.complete(bench.verifier.open(LI).ses, LI, [frame])
        assert (verification.decision.outcome, verification.session) == (outcome, None)
    assert not bench.kept.pairs


def test_a_session_takes_frames_once(bench: Bench, probe: Picture) -> None:
    ses = bench.verifier.open(LI).ses
    bench.verifier.complete(ses, LI, [probe])
    with pytest.raises(SessionRefused) as caught:
        bench.verifier.complete(ses, LI, [probe])
    assert caught.value.code == "CHECK_NOT_FOUND"
    assert len(bench.kept.pairs) == 1


def test_a_failed_try_uses_the_session_up(bench: Bench, probe: Picture) -> None:
    ses = bench.verifier.open(LI).ses
    bench.verifier.complete(ses, LI, [picture_of_pixels(BLANK)])
    with pytest.raises(SessionRefused, match="begin a new one"):
        bench.verifier.complete(ses, LI, [probe])


def test_a_session_belongs_to_its_subject(bench: Bench, probe: Picture) -> None:
    ses = bench.verifier.open(LI).ses
    with pytest.raises(SessionRefused) as caught:
        bench.verifier.complete(ses, WANG, [probe])
    assert caught.value.code == "CHECK_FOREIGN"
    assert bench.verifier.complete(ses, LI, [probe]).session is not None


def test_late_frames_are_refused(bench: Bench, probe: Picture) -> None:
    opened = bench.verifier.open(LI)
    bench.clock.now = opened.complete_before + 1
    with pytest.raises(SessionRefused) as caught:
        bench.verifier.complete(opened.ses, LI, [probe])
    assert caught.value.code == "CHECK_LATE"


def test_a_person_without_a_reference_is_named(bench: Bench, probe: Picture) -> None:
    with pytest.raises(ReferenceMissing, match=WANG.sub):
        bench.verifier.complete(bench.verifier.open(WANG).ses, WANG, [probe])


def test_expired_sessions_are_forgotten(bench: Bench) -> None:
    first = bench.verifier.open(LI)
    bench.clock.now = first.complete_before + 1
    second = bench.verifier.open(LI)
    assert set(bench.verifier._open) == {second.ses}


def test_session_ids_are_random(bench: Bench) -> None:
    assert len({bench.verifier.open(LI).ses for _ in range(100)}) == 100


def test_a_recorder_that_fails_fails_the_check(matcher: Matcher, bench: Bench, probe: Picture) -> None:
    class Down:
        def record(self, session: Session, opening: EvidenceOpening) -> None:
            raise ConnectionError("identity channel")

    verifier = IdentityVerifier(matcher, bench.verifier._references, Down(), clock=bench.clock)
    with pytest.raises(ConnectionError):
        verifier.complete(verifier.open(LI).ses, LI, [probe])


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "short"},
        {"sub": LI.sub[:-1] + "B"},
        {"x5t": LI.sub},
        {"mtg": "M 1"},
        {"institution": ""},
    ],
)
def test_a_subject_is_well_formed(change: dict[str, str]) -> None:
    members = {"sub": LI.sub, "x5t": LI.x5t, "institution": LI.institution, "mtg": LI.mtg}
    with pytest.raises(ValueError, match=next(iter(change))):
        Subject(**{**members, **change})


def test_values_between_the_stages_are_immutable(bench: Bench, probe: Picture) -> None:
    opened = bench.verifier.open(LI)
    verification = bench.verifier.complete(opened.ses, LI, [probe])
    for value, name in ((opened, "ses"), (verification.decision, "outcome"), (probe, "source")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "x")
