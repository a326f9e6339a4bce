"""The identity service over real HTTP on loopback: overload, dead processes, hostile uploads."""

from __future__ import annotations

import io
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pytest
from PIL import Image

from biometrics.attacks.species import Live
from biometrics.attacks.targets import target_of
from biometrics.challenge import Step
from biometrics.liveness import default_models
from biometrics.review.officers import appoint
from biometrics.sample_face import sample_face
from biometrics.service.app import create_app
from biometrics.service.checker import SentFrame
from biometrics.service.parts import system_random
from biometrics.service.pool import FacePool, PoolSize
from biometrics.service.problems import MEDIA_TYPE, busy
from biometrics.service.service import Surroundings, build
from biometrics.store import Database
from biometrics.synthesis.actor import Actor
from biometrics.synthesis.camera import Camera
from client.encodings import jcs
from client.platform import Vault
from client.serving.bounded import BoundedServer
from tests.unit.biometrics_service.doubles import (
    INSTITUTION,
    Clock,
    EnrolmentsDouble,
    LedgerDouble,
    MeetingsDouble,
    Person,
    PhotosDouble,
    Streaming,
)
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flask.testing import FlaskClient
    from numpy.typing import NDArray

    from biometrics.attacks.species import Presentation
    from biometrics.synthesis.render import Renderer

STUB = "tests.unit.biometrics_service.stub_checker:make"
MATCH = "biometrics.service.match_checker:make"
LIVE = "biometrics.service.live_checker:make"


class Served:
    """A service behind a real server on a free port of loopback."""

    def __init__(
        self,
        folder: Path,
        checker: str,
        size: PoolSize,
        connections: int = 32,
        random_bytes: Callable[[int], bytes] = system_random,
    ) -> None:
        self.clock, self.ledger = Clock(), LedgerDouble()
        self.enrolments, self.photos = EnrolmentsDouble(), PhotosDouble()
        self.database = Database.open(f"sqlite:///{folder / 'identity.db'}")
        self.pool = FacePool(checker, size)
        given = Surroundings(
            database=self.database,
            sealer=Vault.open(folder / "identity.key"),
            sources=[self.photos],
            enrolments=self.enrolments,
            meetings=MeetingsDouble(),
            recorder=self.ledger,
            keeper=self.ledger,
            checker=checker,
            pool=self.pool,
            clock=self.clock,
            milliseconds=self.clock.milliseconds,
            random_bytes=random_bytes,
        )
        self.service = build(given)
        self.app = create_app(self.service)
        self.server = BoundedServer("127.0.0.1", 0, self.app, connections=connections, busy=busy())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
        self.service.close()
        self.database.close()

    def lender(self, reference: bytes) -> Person:
        person = Person.new(self.clock)
        self.enrolments.by_sub[person.sub] = person.enrolment()
        self.photos.photos[person.sub] = reference
        with self.app.test_client() as web:
            person.consent(web)
        return person

    def stream(self, reference: bytes = b"") -> Streaming:
        """Open a check of a new lender, over HTTP as everything that follows."""
        return Streaming.open(self.wire, self.lender(reference or jpeg("reference")), self.clock)

    @property
    def wire(self) -> FlaskClient:
        """Return what sends requests as the test client does, but over the wire."""
        return cast("FlaskClient", Wire(self.url))


@dataclass(frozen=True, slots=True)
class Wire:
    """A client over real HTTP with the test client's calls."""

    url: str

    def open(
        self, target: str, *, method: str, data: bytes, headers: Any, content_type: str | None
    ) -> Answer:
        return self._send(method, target, data, {**headers, **_typed(content_type)})

    def post(self, target: str, *, data: bytes, content_type: str) -> Answer:
        return self._send("POST", target, data, _typed(content_type))

    def get(self, target: str) -> Answer:
        return self._send("GET", target, b"", {})

    def _send(self, method: str, target: str, data: bytes, headers: dict[str, str]) -> Answer:
        return Answer(httpx.request(method, self.url + target, content=data, headers=headers, timeout=120))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with what the tests of the test client's read."""

    response: httpx.Response

    @property
    def status_code(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def json(self) -> Any:
        return self.response.json()

    def get_json(self) -> Any:
        return self.response.json()


def _typed(content_type: str | None) -> dict[str, str]:
    return {} if content_type is None else {"Content-Type": content_type}


def picture(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (320, 240), **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path, STUB, PoolSize(workers=1, places=3, waiting=2, time_limit=60))
    yield served
    served.close()


def test_over_load_it_answers_503_and_nothing_piles_up(stub: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    checks = [stub.stream() for _ in range(3)]
    uploads = [check.take(f"until {gate}") for check in checks]
    states: list[str] = []

    def upload(number: int) -> None:
        states.append(checks[number].post(uploads[number], last=True).get_json()["state"])

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    beyond = [stub.lender(jpeg("reference")) for _ in range(10)]
    for lender in beyond:
        answer = lender.open(stub.wire)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "OVERLOADED")
        assert int(answer.headers["Retry-After"]) >= 1
        assert stub.pool.inside == 3
    gate.touch()
    for thread in threads:
        thread.join()
    assert states == ["recorded"] * 3
    assert stub.pool.inside == 0
    # Nothing was used up for those who were turned away.
    check = Streaming.open(stub.wire, beyond[0], stub.clock)
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


def test_a_chunk_beyond_the_queue_is_refused_and_sent_again(tmp_path: Path) -> None:
    served = Served(tmp_path, STUB, PoolSize(workers=1, places=2, waiting=0, time_limit=60))
    try:
        gate = tmp_path / "gate"
        first, second = served.stream(), served.stream()
        assert [check.send("look").status_code for check in (first, second)] == [200, 200]
        frames = first.take(f"until {gate}")
        working = threading.Thread(target=lambda: first.post(frames, last=True))
        working.start()
        turn = threading.Event()
        while served.pool._workers[0]._room._value:
            turn.wait(0.02)
        answer = second.send("accept", last=True)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "OVERLOADED")
        gate.touch()
        working.join()
        assert second.again().get_json()["state"] == "recorded"
    finally:
        served.close()


def test_connections_beyond_the_bound_are_turned_away(tmp_path: Path) -> None:
    served = Served(tmp_path, STUB, PoolSize(workers=1, places=3), connections=1)
    try:
        # Connections are taken in the order in which they came, so the first has the only room.
        with socket.create_connection(("127.0.0.1", served.server.server_port), timeout=60) as idle:
            answer = httpx.get(f"{served.url}/v1/health", timeout=60)
            assert (answer.status_code, answer.json()["code"]) == (503, "OVERLOADED")
            assert answer.headers["Content-Type"] == MEDIA_TYPE
            assert int(answer.headers["Retry-After"]) >= 1
            idle.sendall(b"GET /v1/health HTTP/1.1\r\nHost: identity\r\n\r\n")
            with idle.makefile("rb") as taken:
                assert taken.read().startswith(b"HTTP/1.1 200")
    finally:
        served.close()


def test_a_process_that_dies_aborts_its_checks_and_the_next_ones_pass(stub: Served) -> None:
    innocent, fatal = stub.stream(), stub.stream()
    innocent.send("look")
    for check, word in ((fatal, "crash"), (innocent, "look")):
        answer = check.send(word)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "CHECK_ABORTED")
        assert check.state() == "failed"
    assert stub.stream().send("accept", last=True).get_json()["state"] == "recorded"
    assert stub.pool.inside == 0


def test_hostile_uploads_are_refused_and_the_process_stays(tmp_path: Path) -> None:
    served = Served(tmp_path, MATCH, PoolSize(workers=1, time_limit=120))
    try:
        good, face = picture(), encoded(sample_face().pixels)
        animated = picture(
            "PNG", save_all=True, append_images=[Image.new("RGB", (320, 240), "red")], duration=100
        )
        hostile = {
            "IMAGE_EMPTY": b"",
            "IMAGE_FORMAT": b"#!/bin/sh\necho no picture\n",
            "IMAGE_UNREADABLE": good[: len(good) // 2],
            "IMAGE_COLOUR": picture(mode="CMYK"),
            "IMAGE_ANIMATED": animated,
            "IMAGE_TOO_LARGE": picture("PNG", mode="1", size=(10_000, 10_000)),  # 100 MP, and a bomb
        }
        served.service.start()
        before = served.pool._workers[0]._process.pid
        for code, data in hostile.items():
            own = picture(size=(300 + len(code), 240))  # no frame may be sent twice
            answer = served.stream(face).post([SentFrame(0, own), SentFrame(100, data)])
            body = answer.get_json()
            assert body["code"] == code
            assert 400 <= answer.status_code < 500
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert set(body["advice"]) == {"zh-CN", "en"}
        assert served.pool._workers[0]._process.pid == before
    finally:
        served.close()


# -- the real checker, and a face rendered from a photo ---------------------------------------------------


class Recorded:
    """An earlier session's movements, played without regard to what is asked for."""

    def __init__(self, live: Live, steps: Sequence[Step]) -> None:
        self._live = live
        self._steps = steps

    def frame(self, at: int, asked: Step | None, index: int) -> NDArray[np.uint8]:
        del asked, index
        number = at // 4000 - 1
        known = 0 <= number < len(self._steps)
        return self._live.frame(at, self._steps[number] if known else None, max(0, number))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return target_of(default_models(), sample_face(), reference=None, other=None).victim


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Served]:
    drawn = np.random.default_rng(20260)  # the same challenges every time
    served = Served(tmp_path, LIVE, PoolSize(workers=1, places=2, time_limit=120), random_bytes=drawn.bytes)
    served.service.start()
    yield served
    served.close()


def encoded(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def play(check: Streaming, scene: Presentation) -> tuple[list[str], dict[str, Any]]:
    """Send what a camera sees, five frames a chunk, until it is over; return the prompts and the end."""
    told: list[str] = []
    asked, index, at = None, 0, 0
    while True:
        frames = [
            SentFrame(time, encoded(scene.frame(time, asked, index))) for time in range(at, at + 500, 100)
        ]
        at += 500
        check.clock.ms += 500
        answer = check.post(frames)
        body: dict[str, Any] = answer.get_json()
        assert answer.status_code == 200, body
        if body["over"]:
            return told, body
        asked, index = None if body["asked"] is None else Step(body["asked"]), body["index"]
        if asked is not None and asked not in told:
            told.append(asked)


def test_a_living_face_that_follows_the_prompts_is_accepted(real: Served, renderer: Renderer) -> None:
    check = real.stream(encoded(sample_face().pixels))
    live = real.service.checks._live.get(check.opened["ses"])
    assert live is not None
    demanded = list(live.challenge["steps"])
    rng = np.random.default_rng(20261)
    told, body = play(check, Live(renderer, Actor(rng), Camera(rng)))
    assert (body["state"], body["reasons"]) == ("recorded", [])
    assert told == demanded
    evidence = jcs.loads(real.ledger.openings[check.opened["ses"]].evidence)
    assert [step["step"] for step in evidence["measured"]["steps"]] == demanded
    assert evidence["basis"]["checks"] == ["liveness-active", "liveness-passive", "match"]
    assert body["decision_ms"] is not None


def test_a_recording_of_another_sequence_is_refused(real: Served, renderer: Renderer) -> None:
    check = real.stream(encoded(sample_face().pixels))
    live = real.service.checks._live.get(check.opened["ses"])
    assert live is not None
    demanded = [Step(step) for step in live.challenge["steps"]]
    rng = np.random.default_rng(20262)
    _, body = play(check, Recorded(Live(renderer, Actor(rng), Camera(rng)), demanded[::-1]))
    assert body["state"] == "retry"
    assert body["reasons"][0]["code"].startswith("STEP_")
    assert not real.ledger.sessions


def test_an_officers_request_is_signed_for_what_is_sent_over_the_wire(stub: Served) -> None:
    officer = Person.new(stub.clock, "officer-one", "Officer")
    with stub.database.write() as session:
        appoint(session, INSTITUTION, officer.certificate, stub.clock())
    with stub.app.test_client() as web:
        assert officer.ask(web, "GET", "/v1/cases?state=open").status_code == 200
    again = httpx.get(f"{stub.url}/v1/cases?state=open", headers={"Authorization": officer.sent[-1]})
    assert again.json()["code"] == "PROOF_REPLAYED"
