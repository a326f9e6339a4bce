from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from sqlalchemy import func, select

from biometrics.enrolment.texts import LANGUAGES, load_texts, packaged_texts
from biometrics.errors import PolicyError
from biometrics.service import proofs
from biometrics.service.callers import Caller
from biometrics.service.service import build
from biometrics.store.models import CaseFrame, Check, Deletion, ReferencePhoto
from biometrics.terms.binding import Lender
from biometrics.terms.policy import CONSENTS
from client.encodings import base64url, hashes, jcs
from tests.unit.biometrics_service.doubles import INSTITUTION, SECRET, Person, digest_of, send
from tests.unit.biometrics_service.stub_checker import jpeg
from tests.unit.biometrics_service.test_checks import refused

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from tests.unit.biometrics_service.conftest import World


class Invited:
    """A lender with an invitation and a new key, not enrolled yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.person = Person.new(world.clock)
        self.lender = Lender(INSTITUTION, self.person.sub)
        world.service.lenders.invite(self.lender, SECRET, world.clock() + 86_400)
        world.photos.photos[self.person.sub] = jpeg("reference")

    @property
    def public_key(self) -> str:
        spki = self.person.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64url.encode(spki)

    def ask(self, target: str, secret: str = SECRET, **more: Any) -> TestResponse:
        return self.person.ask(
            self.world.web, "POST", target, self.person.me(**more), Authorization=f"Invitation {secret}"
        )

    def consent(self) -> None:
        for kind in ("face", "transmission"):
            answer = self.ask("/v1/consents", kind=kind, version="2026-11", text_digest=digest_of(kind))
            assert answer.status_code == 201

    def check(self, word: str = "accept") -> TestResponse:
        opened = self.ask("/v1/checks", public_key=self.public_key).get_json()
        frames = self.person.frames(word)
        proof = self.person.prove(
            opened, frames, mtg="ENROLMENT", x5t=proofs.key_thumbprint(self.person.key.public_key())
        )
        return send(self.world.web, opened["ses"], proof, frames)


def test_an_enrolment_with_the_invitations_secret_is_approved(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    body = invited.check().get_json()
    assert (body["state"], body["next"]) == ("approved", ["enrol"])
    key = proofs.key_thumbprint(invited.person.key.public_key())
    approval = world.service.parts.outcomes.approval(invited.lender, key)
    assert approval is not None
    assert approval.opening.commitment == body["record"]["commitment"]
    evidence = jcs.loads(approval.opening.evidence)
    assert evidence["factors"] == ["face", "invitation-secret"]
    assert evidence["purpose"] == "enrolment"
    assert not world.ledger.sessions  # an enrolment is no session


def test_an_approval_is_forgotten_once_the_enrolment_has_it(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    ses = invited.check().get_json()["ses"]
    key = proofs.key_thumbprint(invited.person.key.public_key())
    world.service.parts.outcomes.approval_taken(ses)
    assert world.service.parts.outcomes.approval(invited.lender, key) is None


def test_an_invitation_enrols_one_key_only(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    invited.check()
    refused(invited.ask("/v1/checks", public_key=invited.public_key), "INVITATION_INVALID", 401)


@pytest.mark.parametrize("secret", ["wrong", "open-sesame-4712", SECRET + " "])
def test_a_wrong_secret_is_refused(world: World, secret: str) -> None:
    refused(Invited(world).ask("/v1/consents/list", secret), "INVITATION_INVALID", 401)


def test_an_expired_invitation_is_refused(world: World) -> None:
    invited = Invited(world)
    world.clock.now += 86_401
    refused(invited.ask("/v1/consents/list"), "INVITATION_INVALID", 401)


def test_secrets_can_not_be_tried_at_will(world: World) -> None:
    invited = Invited(world)
    for number in range(10):
        invited.ask("/v1/consents/list", f"guess-{number}")
    refused(invited.ask("/v1/consents/list"), "INVITATION_INVALID", 401)


def test_the_secret_of_one_lender_opens_nothing_of_another(world: World) -> None:
    first, second = Invited(world), Invited(world)
    world.service.lenders.invite(second.lender, "another-secret", world.clock() + 86_400)
    refused(second.ask("/v1/consents/list", SECRET), "INVITATION_INVALID", 401)
    assert first.ask("/v1/consents/list").status_code == 200


def test_an_invitation_is_no_factor_for_a_meeting(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    refused(invited.ask("/v1/checks", mtg="exit-2026"), "PROOF_MISSING", 401)


def test_an_enrolled_key_is_no_factor_for_an_enrolment(world: World) -> None:
    lender = world.lender()
    value = lender.me(public_key=Invited(world).public_key)
    refused(lender.ask(world.web, "POST", "/v1/checks", value), "PROOF_MISSING", 401)


@pytest.mark.parametrize("missing", ["face", "transmission"])
def test_without_either_consent_no_check_begins(world: World, missing: str) -> None:
    kinds = {"face", "transmission", "recording"} - {missing}
    lender = world.lender(*sorted(kinds))
    assert refused(lender.open(world.web), "CONSENT_MISSING", 403)["detail"] == missing


def test_a_consent_to_an_old_version_is_not_taken(world: World) -> None:
    lender = world.lender("none")
    value = lender.me(kind="face", version="2019-01", text_digest=digest_of("face"))
    refused(lender.ask(world.web, "POST", "/v1/consents", value), "CONSENT_VERSION", 409)


def test_a_consent_to_a_text_that_nobody_published_is_not_taken(world: World) -> None:
    lender = world.lender("none")
    for digest in (hashes.digest(b"text", b"face"), digest_of("transmission")):
        value = lender.me(kind="face", version="2026-11", text_digest=digest)
        refused(lender.ask(world.web, "POST", "/v1/consents", value), "CONSENT_TEXT", 409)
    value = lender.me(kind="face", version="2026-11", text_digest=digest_of("face", "en"))
    assert lender.ask(world.web, "POST", "/v1/consents", value).status_code == 201


def test_what_was_consented_to_can_be_read_in_later_versions(world: World, tmp_path: Path) -> None:
    lender = world.lender("face")
    (given,) = world.service.lenders.consents(Caller(Lender(INSTITUTION, lender.sub), "", world.meetings))
    folder = copied_texts(tmp_path)
    for kind in CONSENTS:
        for language in LANGUAGES:
            publish(folder, "2027-01", kind, language, f"new text of {kind} in {language}")
    policy = replace(world.service.parts.policy, consents=dict.fromkeys(CONSENTS, "2027-01"))
    texts = load_texts(folder)
    later = build(replace(world.surroundings, policy=policy, texts=texts)).parts.consents
    assert {text.version for text in later.texts_in_force()} == {"2027-01"}
    read = texts.find(given.text_digest)
    assert read is not None
    assert (read.kind, read.version, read.language) == ("face", "2026-11", "zh-CN")
    assert read.text.startswith("同意书")
    with world.database.read() as session:
        assert not later.holds(session, Lender(INSTITUTION, lender.sub), "face")


def test_a_published_text_that_was_altered_is_refused(tmp_path: Path) -> None:
    folder = copied_texts(tmp_path)
    path = folder / "2026-11" / "face.en.txt"
    path.write_text(path.read_text("utf-8").replace("two years", "twenty years"), "utf-8")
    with pytest.raises(PolicyError, match="make a new version"):
        load_texts(folder)


def test_a_version_without_its_texts_is_refused(world: World) -> None:
    policy = replace(world.service.parts.policy, consents=dict.fromkeys(CONSENTS, "2031-01"))
    with pytest.raises(PolicyError, match="no published text"):
        build(replace(world.surroundings, policy=policy))


def test_a_text_says_who_what_why_how_long_and_how_to_withdraw() -> None:
    texts = packaged_texts()
    words = {
        "zh-CN": ("谁在处理", "为什么", "保存多久", "可以不同意", "撤回", "效力相同"),
        "en": ("Who:", "Why", "How long:", "You may say no", "Withdrawal", "counts the same"),
    }
    for kind in CONSENTS:
        for text in texts.of_version(kind, "2026-11"):
            assert all(word in text.text for word in words[text.language]), (kind, text.language)


def copied_texts(folder: Path) -> Path:
    packaged = resources.files("biometrics.enrolment").joinpath("texts")
    with resources.as_file(packaged) as path:
        shutil.copytree(path, folder / "texts")
    return folder / "texts"


def publish(folder: Path, version: str, kind: str, language: str, text: str) -> None:
    path = folder / version / f"{kind}.{language}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    digest = base64url.encode(hashlib.sha256(text.encode()).digest())
    with (folder / "index.toml").open("a", encoding="utf-8") as index:
        if language == LANGUAGES[0]:
            index.write(f'\n["{version}".{kind}]\n')
        index.write(f'{language} = "{digest}"\n')


def test_consents_carry_version_text_and_time_and_are_given_once(world: World) -> None:
    lender = world.lender("face")
    lender.consent(world.web, "face")
    listed = lender.ask(world.web, "POST", "/v1/consents/list", lender.me()).get_json()["consents"]
    assert len(listed) == 1
    assert (listed[0]["kind"], listed[0]["version"]) == ("face", "2026-11")
    assert (listed[0]["given_at"], listed[0]["withdrawn_at"]) == (world.clock(), None)


def test_withdrawal_stops_a_running_check_and_deletes_the_reference(world: World) -> None:
    lender = world.lender()
    who = Lender(INSTITUTION, lender.sub)
    keep_photo(world, who)
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    proof = lender.prove(opened, frames)
    record = lender.ask(world.web, "POST", "/v1/consents/withdraw", lender.me(kind="face")).get_json()
    assert record["what"] == {"reference_photos": 1, "kept_frames": 0, "running_checks": 1}
    assert record["why"] == "consent-withdrawn-face"
    refused(send(world.web, opened["ses"], proof, frames), "CHECK_ENDED", 409)
    refused(lender.open(world.web), "CONSENT_MISSING", 403)
    assert count(world, ReferencePhoto) == 0


def test_withdrawing_the_recording_deletes_the_frames_and_nothing_else(world: World) -> None:
    lender = world.lender()
    keep_photo(world, Lender(INSTITUTION, lender.sub))
    ses = lender.check(world.web, "review").get_json()["ses"]
    assert count(world, CaseFrame) == 3
    record = lender.ask(world.web, "POST", "/v1/consents/withdraw", lender.me(kind="recording")).get_json()
    assert record["what"] == {"kept_frames": 3}
    assert (count(world, CaseFrame), count(world, ReferencePhoto)) == (0, 1)
    assert world.web.get(f"/v1/checks/{ses}").get_json()["state"] == "undecided"
    assert lender.open(world.web).status_code == 201


def test_a_deletion_record_says_what_when_why_and_not_about_whom(world: World) -> None:
    lender = world.lender()
    lender.check(world.web, "review")
    answer = lender.ask(world.web, "POST", "/v1/erasures", lender.me())
    assert answer.status_code == 201
    with world.database.read() as session:
        rows = list(session.scalars(select(Deletion)))
    written = json.dumps([[row.id, row.deleted_at, row.what, row.why] for row in rows])
    assert rows[0].deleted_at == world.clock()
    assert json.loads(rows[0].what)["kept_frames"] == 3
    for personal in (lender.sub, lender.x5t, lender.institution):
        assert personal not in written


def test_without_consent_to_recording_no_frame_is_kept_and_an_officer_is_offered(world: World) -> None:
    lender = world.lender("face", "transmission")
    body = lender.check(world.web, "review").get_json()
    assert (body["state"], body["next"]) == ("undecided", ["retry", "officer"])
    assert count(world, CaseFrame) == 0


def keep_photo(world: World, lender: Lender) -> None:
    from biometrics.sources.institution import InstitutionPhotos  # noqa: PLC0415

    photos = InstitutionPhotos("kyc-photo", world.database, world.vault, world.service.parts.random_bytes)
    photos.keep(lender, jpeg("kyc"), world.clock())


def count(world: World, model: type[CaseFrame | ReferencePhoto | Check]) -> int:
    with world.database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0
