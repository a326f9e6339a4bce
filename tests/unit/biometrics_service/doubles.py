"""Doubles for the identity service's surroundings, and a lender and officers to act with.

A frame here is a JPEG signature and a word; the checker does what the word says. Its results have the
real form, so whatever passes through the service is what passes in production.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes as digests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from biometrics.enrolment.texts import packaged_texts
from biometrics.errors import PictureRefused
from biometrics.service import proofs
from biometrics.service.checker import SentFrame
from biometrics.service.meetings import MeetingFacts
from biometrics.service.messages import Fed
from biometrics.service.pool import FrameUnreadable, Overloaded, PoolSize, WorkFailed
from biometrics.sources.interface import NoPhoto, Photo
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, certificates, times
from client.encodings.records import Enrolment
from tests.unit.biometrics_service.stub_checker import StubCheck, StubChecker, jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from biometrics.service.checker import CheckRequest
    from biometrics.service.evidence import EvidenceOpening
    from biometrics.terms.binding import Lender
    from client.encodings.records import Session, Status

INSTITUTION = "InstitutionAMSP"
MEETING = "exit-2026"
NOON = times.parse("2026-11-23T12:00:00Z")
SECRET = "open-sesame-4711"
TEXTS = packaged_texts()


class InlinePool:
    """Does the work in this process, with the same refusals as the pool of processes."""

    def __init__(self, places: int = 100) -> None:
        self.checker = StubChecker()
        self.busy = False  # no chunk is taken
        self.inside = 0
        self.size = PoolSize(workers=1, places=places)

    def start(self) -> None:
        return

    def take(self) -> InlinePlace:
        if self.inside >= self.size.room:
            raise Overloaded(7)
        self.inside += 1
        return InlinePlace(self)

    def retry_after(self) -> int:
        return 3

    def close(self) -> None:
        return


class InlinePlace:
    def __init__(self, pool: InlinePool) -> None:
        self._pool = pool
        self._check: StubCheck | None = None
        self._released = False

    def begin(self, request: CheckRequest) -> None:
        try:
            self._check = self._pool.checker.begin(request)
        except PictureRefused as error:
            raise FrameUnreadable(str(error.reason), error.source) from error

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None, *, last: bool) -> Fed:
        assert self._check is not None
        assert not self._released
        if self._pool.busy:
            raise Overloaded(1)
        word = frames[0].data[3:].split(b"|")[0].decode()
        if word in {"crash", "late", "busy", "gone"}:
            raise WorkFailed("died" if word == "crash" else word)
        try:
            progress = self._check.feed(frames, prompted_at)
        except PictureRefused as error:
            raise FrameUnreadable(str(error.reason), error.source) from error
        except RuntimeError as error:
            raise WorkFailed(type(error).__name__) from error
        return Fed(progress, self._check.conclude() if last or progress.over else None)

    def release(self) -> None:
        if not self._released:
            self._released = True
            self._pool.inside -= 1


@dataclass(slots=True)
class Clock:
    """Whole seconds, and milliseconds that move with them or on their own."""

    now: int = NOON
    ms: int = 0

    def __call__(self) -> int:
        return self.now

    def milliseconds(self) -> int:
        return 1000 * (self.now - NOON) + self.ms


@dataclass(frozen=True, slots=True)
class Written:
    code: str | None = None


class LedgerDouble:
    """Takes sessions as the chaincode does: once by id, the same again is a success."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.openings: dict[str, EvidenceOpening] = {}
        self.batches: list[int] = []
        self.down = False
        self.refuses: str | None = None
        self.forgotten: list[tuple[list[str], int]] = []

    def record_many(self, checks: Sequence[tuple[Session, EvidenceOpening]], /) -> list[Written]:
        if self.down:
            raise ConnectionError("no peer answers for Wang Xiaoming")
        self.batches.append(len(checks))
        results = []
        for session, opening in checks:
            if self.refuses:
                results.append(Written(self.refuses))
                continue
            assert opening.commitment == session.commitment
            assert self.sessions.setdefault(session.ses, session) == session
            self.openings[session.ses] = opening
            results.append(Written())
        return results

    def forget(self, meetings: Iterable[str], issued_until: int) -> int:
        """Forget evidence as the platform's recorder does."""
        named = set(meetings)
        due = [
            ses
            for ses, session in self.sessions.items()
            if ses in self.openings
            and (session.mtg in named or times.parse(session.issued_at) <= issued_until)
        ]
        for ses in due:
            del self.openings[ses]
        self.forgotten.append((sorted(named), issued_until))
        return len(due)


class EnrolmentsDouble:
    """The identity channel's enrolments, by pseudonym."""

    def __init__(self) -> None:
        self.by_sub: dict[str, Enrolment] = {}
        self.defect = False

    def enrolment(self, lender: Lender) -> Enrolment:
        if self.defect:
            raise RuntimeError(f"Wang Xiaoming, {lender.sub}")
        if lender.sub not in self.by_sub:
            raise ServiceRefused("ENROLMENT_NOT_FOUND")
        return self.by_sub[lender.sub]


class MeetingsDouble:
    """The arbitration channels' meetings of one institution, by id."""

    def __init__(self) -> None:
        facts = MeetingFacts("announced", NOON + 30 * 86_400)
        self.by_id = {MEETING: facts, "another-meeting": facts}
        self.down = False

    def meeting(self, institution: str, mtg: str) -> MeetingFacts:
        if self.down:
            raise ServiceRefused("LEDGER_UNAVAILABLE", retry_after=5)
        if institution != INSTITUTION or mtg not in self.by_id:
            raise ServiceRefused("MEETING_NOT_FOUND")
        return self.by_id[mtg]


class PhotosDouble:
    """A source of reference pictures."""

    def __init__(self, name: str = "kyc-photo") -> None:
        self._name = name
        self.photos: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        return self._name

    def photo(self, lender: Lender) -> Photo:
        if lender.sub not in self.photos:
            raise NoPhoto("none")
        return Photo(self._name, self.photos[lender.sub])


def digest_of(kind: str, language: str = "zh-CN") -> str:
    """Return the digest of the text of a consent that counts today."""
    return {text.language: text.digest for text in TEXTS.of_version(kind, "2026-11")}[language]


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    ends: datetime = datetime(2036, 1, 1, tzinfo=UTC),
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .sign(key, digests.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


@dataclass(slots=True)
class Person:
    """A key with a certificate, and how its owner asks the service for things."""

    sub: str
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    clock: Callable[[], int]
    scheme: str = "Proof"
    institution: str = INSTITUTION
    sent: list[str] = field(default_factory=list)

    @classmethod
    def new(cls, clock: Callable[[], int], name: str = "", scheme: str = "Proof") -> Person:
        key = ec.generate_private_key(ec.SECP256R1())
        sub = name or base64url.encode(os.urandom(16))
        return cls(sub, key, certificate(sub, key), clock, scheme)

    @property
    def x5t(self) -> str:
        return certificates.thumbprint(self.certificate)

    def enrolment(self, status: str = "active") -> Enrolment:
        return Enrolment(
            sub=self.sub,
            certificate=self.certificate,
            x5t=self.x5t,
            institution=self.institution,
            method="face-v1",
            commitment=base64url.encode(bytes(32)),
            status=cast("Status", status),
            rev=1,
        )

    def ask(
        self, web: FlaskClient, method: str, target: str, value: Any = None, **headers: str
    ) -> TestResponse:
        """Send a JSON request signed with the own key."""
        body = b"" if value is None else json.dumps(value).encode()
        if "Authorization" not in headers:
            jws = proofs.sign_request(
                self.key, self.x5t, method, target, body, now=self.clock(), jti=os.urandom(16)
            )
            headers["Authorization"] = f"{self.scheme} {jws}"
        self.sent.append(headers["Authorization"])
        kind = None if value is None else "application/json"
        return web.open(target, method=method, data=body, headers=headers, content_type=kind)

    def me(self, **more: Any) -> dict[str, Any]:
        return {"institution": self.institution, "sub": self.sub, **more}

    def consent(self, web: FlaskClient, *kinds: str) -> None:
        for kind in kinds or ("face", "transmission", "recording"):
            answer = self.ask(
                web,
                "POST",
                "/v1/consents",
                self.me(kind=kind, version="2026-11", text_digest=digest_of(kind)),
            )
            assert answer.status_code == 201, answer.json

    def open(self, web: FlaskClient, mtg: str = MEETING) -> TestResponse:
        return self.ask(web, "POST", "/v1/checks", self.me(mtg=mtg))

    def frames(self, word: str, count: int = 3, since: int = 0) -> list[SentFrame]:
        return [SentFrame(since + 100 * number, jpeg(word, number)) for number in range(count)]

    def prove(self, opened: Mapping[str, Any], frames: Sequence[SentFrame], **other: Any) -> str:
        """Return the proof of a chunk (the first and last, unless said otherwise), with members replaced."""
        given: dict[str, Any] = {
            "ses": opened["ses"],
            "nonce": opened["nonce"],
            "sub": self.sub,
            "mtg": MEETING,
            "x5t": self.x5t,
            "key": self.key,
            "last": True,
            **other,
        }
        key, x5t = given.pop("key"), given.pop("x5t")
        return proofs.sign_chunk(key, x5t, frames=frames, **given)

    def check(self, web: FlaskClient, word: str = "accept", **other: Any) -> TestResponse:
        """Open a check and send one chunk that has the checker say `word`."""
        opened = self.open(web)
        value = opened.get_json()
        assert opened.status_code == 201, value
        frames = self.frames(word)
        return send(web, value["ses"], self.prove(value, frames, **other), frames)


@dataclass(slots=True)
class Streaming:
    """A client in the middle of a check: numbers its chunks, chains them, and claims honest times."""

    web: FlaskClient
    person: Person
    clock: Clock
    opened: Mapping[str, Any]
    mtg: str = MEETING
    chunk: int = 0
    digest: str = ""
    began: int = 0
    sent: tuple[str, Sequence[SentFrame]] = ("", ())

    @classmethod
    def open(cls, web: FlaskClient, person: Person, clock: Clock) -> Streaming:
        answer = person.open(web)
        assert answer.status_code == 201, answer.json
        return cls(web, person, clock, answer.get_json(), began=clock.milliseconds())

    def take(self, word: str, count: int = 3, *, spends: int = 500) -> list[SentFrame]:
        """Return frames captured in the half second that goes by meanwhile."""
        since = self.clock.milliseconds() - self.began
        self.clock.ms += spends
        return self.person.frames(word, count, since)

    def post(self, frames: Sequence[SentFrame], **other: Any) -> TestResponse:
        """Send frames as the next chunk; members of its proof may be replaced."""
        given = {"chunk": self.chunk, "previous": self.digest, "last": False, "mtg": self.mtg, **other}
        proof = self.person.prove(self.opened, frames, **given)
        self.sent = (proof, frames)
        answer = self.again()
        if answer.status_code in {200, 202} and given["chunk"] == self.chunk:
            self.digest = proofs.chunk_digest(self.opened["nonce"], self.chunk, self.digest, frames)
            self.chunk += 1
        return answer

    def again(self) -> TestResponse:
        """Send what was sent last, as it is."""
        return send(self.web, self.opened["ses"], *self.sent)

    def send(self, word: str = "look", **other: Any) -> TestResponse:
        """Take some frames and send them as the next chunk."""
        return self.post(self.take(word), **other)

    def state(self) -> str:
        return str(self.web.get(f"/v1/checks/{self.opened['ses']}").get_json()["state"])


def send(
    web: FlaskClient, ses: str, proof: str, frames: Sequence[SentFrame], times: Any = None
) -> TestResponse:
    """Upload frames as a browser would."""
    listed = [frame.at for frame in frames] if times is None else times
    data = MultiDict[str, Any]([("proof", proof), ("times", json.dumps(listed))])
    for number, frame in enumerate(frames):
        data.add("frames", FileStorage(io.BytesIO(frame.data), f"{number}.jpg", content_type="image/jpeg"))
    # Encoded here: the test client would put a large upload into a temporary file and leave it open.
    boundary, body = encode_multipart(data)
    kind = f"multipart/form-data; boundary={boundary}"
    return web.post(f"/v1/checks/{ses}/frames", data=body, content_type=kind)
