from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import httpx
import pytest

from biometrics.errors import PolicyError
from biometrics.sources.insecure_stand_in import NAME, create_insecure_stand_in
from biometrics.sources.institution import InstitutionPhotos
from biometrics.sources.interface import NoPhoto, Person, SourceUnavailable
from biometrics.sources.official import OfficialIdService
from biometrics.sources.selected import SelectedSources
from biometrics.terms.binding import Lender
from biometrics.terms.policy import default_service_policy
from client.encodings import base64url
from tests.unit.biometrics_service.doubles import INSTITUTION, PhotosDouble
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.biometrics_service.conftest import World

LENDER = Lender(INSTITUTION, base64url.encode(bytes(16)))


class Register:
    def person(self, lender: Lender) -> Person:
        return Person("Wang Xiaoming", "110101199003070000")


def service(answer: Callable[[httpx.Request], httpx.Response] | httpx.BaseTransport) -> OfficialIdService:
    transport = answer if isinstance(answer, httpx.BaseTransport) else httpx.MockTransport(answer)
    return OfficialIdService(
        "https://id.example", Register(), token="token", random_bytes=os.urandom, transport=transport
    )


def test_the_official_service_is_asked_for_the_person_and_gives_the_picture() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"\xff\xd8\xffpicture", headers={"Content-Type": "image/jpeg"})

    photo = service(answer).photo(LENDER)
    assert (photo.source, photo.data) == ("official-id", b"\xff\xd8\xffpicture")
    assert asked[0].headers["Authorization"] == "Bearer token"
    assert b"110101199003070000" in asked[0].content
    assert LENDER.sub.encode() not in asked[0].content  # the pseudonym is nobody's business there


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}),
        httpx.Response(200, content=bytes(6 * 2**20), headers={"Content-Type": "image/png"}),
    ],
)
def test_an_answer_that_is_no_picture_is_no_reference(answer: httpx.Response) -> None:
    with pytest.raises(SourceUnavailable):
        service(lambda _: answer).photo(LENDER)


def test_a_failure_does_not_tell_whom_it_was_about() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route for Wang Xiaoming", request=request)

    with pytest.raises(SourceUnavailable) as error:
        service(broken).photo(LENDER)
    assert "Wang" not in str(error.value)
    assert error.value.__suppress_context__


def test_nobody_is_asked_about_people_in_the_clear() -> None:
    with pytest.raises(SourceUnavailable, match="https"):
        OfficialIdService("http://id.example", Register(), token="t", random_bytes=os.urandom)


def test_the_stand_in_says_what_it_is_and_answers_like_a_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "110101199003070000.jpg").write_bytes(b"\xff\xd8\xffstand-in")
    with caplog.at_level(logging.WARNING):
        app = create_insecure_stand_in(tmp_path, "token")
    assert "insecure-stand-in" in caplog.text
    assert "NOBODY IS VERIFIED" in caplog.text
    assert service(httpx.WSGITransport(app)).photo(LENDER).data == b"\xff\xd8\xffstand-in"
    web = app.test_client()
    assert web.post("/v1/reference-photo", json={"id_number": "1"}).status_code == 401
    for number, status in (("../etc/passwd", 400), ("unknown", 404), (7, 400)):
        headers = {"Authorization": "Bearer token"}
        answer = web.post("/v1/reference-photo", json={"id_number": number}, headers=headers)
        assert answer.status_code == status


def test_the_packaged_policy_never_asks_the_stand_in() -> None:
    assert NAME not in default_service_policy().sources
    with pytest.raises(PolicyError):
        SelectedSources(default_service_policy().sources, [PhotosDouble(NAME)])


def test_sources_are_asked_in_the_policys_order() -> None:
    first, second = PhotosDouble("official-id"), PhotosDouble("kyc-photo")
    second.photos[LENDER.sub] = jpeg("kyc")
    selected = SelectedSources(("official-id", "kyc-photo"), [second, first])
    assert selected.photo(LENDER).source == "kyc-photo"
    first.photos[LENDER.sub] = jpeg("id")
    assert selected.photo(LENDER).source == "official-id"
    with pytest.raises(NoPhoto):
        selected.photo(Lender(INSTITUTION, base64url.encode(bytes([1] * 16))))


def test_an_institutions_picture_is_sealed_and_replaced(world: World) -> None:
    photos = InstitutionPhotos("kyc-photo", world.database, world.vault, os.urandom)
    for word in ("old", "new"):
        photos.keep(LENDER, jpeg(word), world.clock())
    assert photos.photo(LENDER).data.startswith(b"\xff\xd8\xffnew")
    with pytest.raises(NoPhoto):
        InstitutionPhotos("id-document-photo", world.database, world.vault, os.urandom).photo(LENDER)
    world.clock.now += 731 * 86_400
    assert world.service.retention.run().what["reference_photos"] == 1
