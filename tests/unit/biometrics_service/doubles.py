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
from typing import TYPE_CHECKING, Any, Self, cast

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
from biometrics.service.checker import CheckResult, SentFrame
from biometrics.service.meetings import MeetingFacts
from biometrics.service.pool import FrameUnreadable, Overloaded, PoolSize, WorkFailed
from biometrics.sources.interface import NoPhoto, Photo
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, certificates, times
from client.encodings.records import Enrolment
from tests.unit.biometrics_service.stub_checker import StubChecker, jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

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

    def __init__(self) -> None:
        self.checker = StubChecker()
        self.full = False
        self.inside = 0
        self.size = PoolSize()

    def start(self) -> None:
        return

    def reserve(self) -> InlineRoom:
        if self.full:
            raise Overloaded(7)
        return InlineRoom(self)

    def retry_after(self) -> int:
        return 3

    def close(self) -> None:
        return


class InlineRoom:
    def __init__(self, pool: InlinePool) -> None:
        self._pool = pool

    def run(self, request: CheckRequest) -> CheckResult:
        if request.frames[0].data[3:].startswith(b"crash"):
            raise WorkFailed("died")
        try:
            return self._pool.checker.check(request)
        except PictureRefused as error:
            raise FrameUnreadable(str(error.reason), error.source) from error
        except RuntimeError as error:
            raise WorkFailed(type(error).__name__) from error

    def __enter__(self) -> Self:
        self._pool.inside += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.inside -= 1


@dataclass(slots=True)
class Clock:
    now: int = NOON

    def __call__(self) -> int:
        return self.now


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

    def frames(self, word: str, count: int = 3) -> list[SentFrame]:
        return [SentFrame(100 * number, jpeg(word, number)) for number in range(count)]

    def prove(self, opened: Mapping[str, Any], frames: Sequence[SentFrame], **other: Any) -> str:
        """Return the proof of a check, with some members or the key replaced."""
        given: dict[str, Any] = {
            "ses": opened["ses"],
            "nonce": opened["nonce"],
            "sub": self.sub,
            "mtg": MEETING,
            "x5t": self.x5t,
            "key": self.key,
            **other,
        }
        key, x5t = given.pop("key"), given.pop("x5t")
        return proofs.sign_check(key, x5t, frames=frames, **given)

    def check(self, web: FlaskClient, word: str = "accept", **other: Any) -> TestResponse:
        """Open a check and send frames that have the checker say `word`."""
        opened = self.open(web)
        value = opened.get_json()
        assert opened.status_code == 201, value
        frames = self.frames(word)
        return send(web, value["ses"], self.prove(value, frames, **other), frames)


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
