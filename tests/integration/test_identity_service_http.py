"""The identity service over real HTTP on loopback: overload, dead processes, hostile uploads."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from biometrics.review.officers import appoint
from biometrics.service.app import create_app
from biometrics.service.checker import SentFrame
from biometrics.service.pool import FacePool, PoolSize
from biometrics.service.server import BoundedServer
from biometrics.service.service import Surroundings, build
from biometrics.store import Database
from client.platform import Vault
from tests.unit.biometrics_service.doubles import (
    INSTITUTION,
    MEETING,
    Clock,
    EnrolmentsDouble,
    LedgerDouble,
    MeetingsDouble,
    Person,
    PhotosDouble,
)
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

STUB = "tests.unit.biometrics_service.stub_checker:make"
MATCH = "biometrics.service.match_checker:make"


class Served:
    """A service behind a real server on a free port of loopback."""

    def __init__(self, folder: Path, checker: str, size: PoolSize, connections: int = 32) -> None:
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
        )
        self.service = build(given)
        self.app = create_app(self.service)
        self.server = BoundedServer("127.0.0.1", 0, self.app, connections=connections)
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

    def prepared(self, frames: Sequence[SentFrame], reference: bytes = b"") -> tuple[str, dict[str, Any]]:
        """Open a check of a new lender; return its address and the upload."""
        person = self.lender(reference or jpeg("reference"))
        with self.app.test_client() as web:
            opened = person.open(web, MEETING).get_json()
        upload = {
            "data": {
                "proof": person.prove(opened, frames),
                "times": json.dumps([frame.at for frame in frames]),
            },
            "files": [("frames", (f"{n}.jpg", frame.data, "image/jpeg")) for n, frame in enumerate(frames)],
        }
        return f"{self.url}/v1/checks/{opened['ses']}/frames", upload

    def send(self, frames: Sequence[SentFrame], reference: bytes = b"") -> httpx.Response:
        address, upload = self.prepared(frames, reference)
        return httpx.post(address, **upload, timeout=60)


def picture(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (320, 240), **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path, STUB, PoolSize(workers=1, waiting=2, time_limit=60))
    yield served
    served.close()


def test_over_load_it_answers_503_and_nothing_piles_up(stub: Served, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    uploads = [stub.prepared([SentFrame(0, jpeg(f"until {gate}"))]) for _ in range(3)]
    beyond = [stub.prepared([SentFrame(0, jpeg("accept"))]) for _ in range(10)]
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda a=address, u=upload: answers.append(httpx.post(a, **u, timeout=120)))
        for address, upload in uploads
    ]
    for thread in threads:
        thread.start()
    full = threading.Event()
    while stub.pool.inside < 3:
        full.wait(0.02)
    for address, upload in beyond:
        answer = httpx.post(address, **upload, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (503, "OVERLOADED")
        assert int(answer.headers["Retry-After"]) >= 1
        assert stub.pool.inside == 3
    gate.touch()
    for thread in threads:
        thread.join()
    assert [answer.json()["state"] for answer in answers] == ["recorded"] * 3
    assert stub.pool.inside == 0
    # The refused checks were not used up.
    address, upload = beyond[0]
    assert httpx.post(address, **upload, timeout=60).json()["state"] == "recorded"


def test_connections_beyond_the_bound_are_turned_away(tmp_path: Path) -> None:
    served = Served(tmp_path, STUB, PoolSize(workers=1, waiting=2), connections=1)
    try:
        gate = tmp_path / "gate"
        with httpx.Client(base_url=served.url) as first:
            address, upload = served.prepared([SentFrame(0, jpeg(f"until {gate}"))])
            waiting = threading.Thread(target=lambda: first.post(address, **upload, timeout=120))
            waiting.start()
            inside = threading.Event()
            while served.pool.inside < 1:
                inside.wait(0.02)
            answer = httpx.get(f"{served.url}/v1/health", timeout=60)
            assert (answer.status_code, answer.json()["code"]) == (503, "OVERLOADED")
            assert int(answer.headers["Retry-After"]) >= 1
            gate.touch()
            waiting.join()
    finally:
        served.close()


def test_a_process_that_dies_is_an_error_for_one_request_only(stub: Served) -> None:
    answer = stub.send([SentFrame(0, jpeg("crash"))])
    assert (answer.status_code, answer.json()["code"]) == (503, "CHECK_ABORTED")
    assert stub.send([SentFrame(0, jpeg("accept"))]).json()["state"] == "recorded"


def test_hostile_uploads_are_refused_and_the_process_stays(tmp_path: Path) -> None:
    served = Served(tmp_path, MATCH, PoolSize(workers=1, waiting=2, time_limit=120))
    try:
        good = picture()
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
            answer = served.send([SentFrame(0, own), SentFrame(100, data)], reference=good)
            body = answer.json()
            assert body["code"] == code
            assert 400 <= answer.status_code < 500
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert set(body["advice"]) == {"zh-CN", "en"}
        assert served.pool._workers[0]._process.pid == before
    finally:
        served.close()


def test_an_officers_request_is_signed_for_what_is_sent_over_the_wire(stub: Served) -> None:
    officer = Person.new(stub.clock, "officer-one", "Officer")
    with stub.database.write() as session:
        appoint(session, INSTITUTION, officer.certificate, stub.clock())
    with stub.app.test_client() as web:
        assert officer.ask(web, "GET", "/v1/cases?state=open").status_code == 200
    again = httpx.get(f"{stub.url}/v1/cases?state=open", headers={"Authorization": officer.sent[-1]})
    assert again.json()["code"] == "PROOF_REPLAYED"
