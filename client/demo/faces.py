"""Identity checks of a few lenders by the identity service: consents, second factor, living face, match.

There is nobody before the demonstration's camera, so its sequences are SYNTHETIC: one public-domain portrait
moved by `biometrics.synthesis`. Everything after the camera is the real service, over its HTTP interface in
this process.
"""

from __future__ import annotations

import io
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import httpx
import numpy as np
from PIL import Image

from biometrics.dlib_models import DlibDetector
from biometrics.liveness import default_models
from biometrics.sample_face import sample_face
from biometrics.service.app import create_app
from biometrics.service.pool import PoolSize
from biometrics.service.service import Surroundings, build
from biometrics.sources.interface import Photo
from biometrics.store import Database
from biometrics.synthesis.actor import Actor
from biometrics.synthesis.camera import Camera
from biometrics.synthesis.portrait import prepare_portrait
from biometrics.synthesis.render import Renderer
from biometrics.terms.binding import Lender
from biometrics.terms.scopes import ENROLMENT
from client.demo.capture import CaptureClock, Person, StillPhoto, present
from client.demo.errors import DemoFailed
from client.demo.visitor import Visitor
from client.identity.approvals import ServiceApprovals
from client.identity.channel import ChannelEnrolments, ChannelMeetings, VerifierContract
from client.identity.platform import identity_vault

if TYPE_CHECKING:
    from pathlib import Path

    from biometrics.service.callers import Enrolments
    from biometrics.service.meetings import Meetings
    from biometrics.service.service import IdentityService
    from client.encodings.meeting import Meeting
    from client.enrolment.lender import LenderKey
    from client.sessions import SessionRecorder

_SOURCE = "kyc-photo"  # what policy calls a picture of the institution's own file
_TRIES = 3
_VALID = timedelta(hours=1)


class Portraits:
    """The institution's file of reference pictures: for every lender the same portrait."""

    def __init__(self) -> None:
        buffer = io.BytesIO()
        Image.fromarray(sample_face().pixels).save(buffer, "PNG")
        self._photo = Photo(_SOURCE, buffer.getvalue())

    @property
    def name(self) -> str:
        """What policy calls it."""
        return _SOURCE

    def photo(self, lender: Lender) -> Photo:
        """Return the portrait."""
        del lender
        return self._photo


@dataclass(frozen=True, slots=True)
class Passed:
    """A check that is over: its session on `identity`, and the distance that its evidence has."""

    ses: str
    distance: str


class FaceChecks:
    """The identity service, and lenders who go to it. Use it as a context manager.

    `recorder` writes to the ledger and keeps the evidence; `enrolments` and `meetings` read from it.
    """

    def __init__(
        self, home: Path, recorder: SessionRecorder, enrolments: Enrolments, meetings: Meetings
    ) -> None:
        self._recorder = recorder
        self._clock = CaptureClock()
        self.slowest = 0.0
        """Seconds that the longest check has taken so far: how long one takes here."""
        self._service: IdentityService = build(
            Surroundings(
                database=Database.open(f"sqlite:///{home / 'identity.db'}"),
                sealer=identity_vault(home),
                sources=[Portraits()],
                enrolments=enrolments,
                meetings=meetings,
                recorder=recorder,
                keeper=recorder,
                pool_size=PoolSize(workers=1),
                milliseconds=self._clock,
            )
        )
        transport = httpx.WSGITransport(create_app(self._service))
        self._web = httpx.Client(transport=transport, base_url="http://identity")
        models = default_models()
        self._renderer = Renderer(prepare_portrait(sample_face(), DlibDetector(), models.landmarker))

    @classmethod
    def at(cls, home: Path, recorder: SessionRecorder) -> Self:
        """Return the checks of a home, which read from its network."""
        return cls(home, recorder, ChannelEnrolments(VerifierContract(home)), ChannelMeetings(home))

    def __enter__(self) -> Self:
        self._service.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._web.close()
        self._service.close()
        self._service.parts.database.close()

    @property
    def method(self) -> str:
        """What records call these checks, as the service's checker does."""
        return self._service.parts.checker.method

    @property
    def approvals(self) -> ServiceApprovals:
        """What the enrolment of lenders asks for."""
        return ServiceApprovals(self._service.parts.outcomes)

    def approve(self, lender: LenderKey) -> None:
        """Go through the check at enrolment: invitation, consents, living face; the key is approved then."""
        secret = secrets.token_urlsafe(16)
        ends = int((datetime.now(UTC) + _VALID).timestamp())
        self._service.lenders.invite(Lender(lender.institution, lender.sub), secret, ends)
        visitor = Visitor(self._web, lender, secret)
        for text in self._service.lenders.texts():
            if text.language == "zh-CN" and text.kind != "recording":
                visitor.consent(text.kind, text.version, text.digest)
        status = self._check_person(visitor, ENROLMENT)
        if status["state"] != "approved":
            raise DemoFailed(f"the face of {lender.sub} was not accepted at enrolment: {status}")

    def check(self, meeting: Meeting, lender: LenderKey) -> Passed:
        """Go through the check for the meeting with the enrolled key; its session is on `identity` then."""
        status = self._check_person(Visitor(self._web, lender), meeting.mtg)
        if status["state"] != "recorded":
            raise DemoFailed(f"the face of {lender.sub} was not accepted: {status}")
        evidence = self._recorder.evidence(status["ses"]).content
        return Passed(status["ses"], f"{evidence['decision']['distance'] / 1000:.3f}")

    def check_with_photo(self, meeting: Meeting, lender: LenderKey) -> str:
        """Hold the lender's own photo up to the camera; return the reason why no session came of it."""
        photo = StillPhoto(self._renderer, Camera(np.random.default_rng(secrets.randbits(64))))
        visitor = Visitor(self._web, lender)
        status = present(visitor, visitor.open(meeting.mtg), meeting.mtg, photo, self._clock)
        if status["record"] is not None or not status["reasons"]:
            raise DemoFailed(f"a photo held up to the camera passed the identity check: {status}")
        return str(status["reasons"][0]["code"])

    def _check_person(self, visitor: Visitor, scope: str) -> dict[str, Any]:
        """Try as often as a person might: the service says `retry` where a movement wasn't seen well."""
        status: dict[str, Any] = {"state": "none"}
        for _ in range(_TRIES):
            rng = np.random.default_rng(secrets.randbits(64))
            person = Person(self._renderer, Camera(rng), Actor(rng))
            began = time.monotonic()
            status = present(visitor, visitor.open(scope), scope, person, self._clock)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if "retry" not in status["next"]:
                break
        return status
