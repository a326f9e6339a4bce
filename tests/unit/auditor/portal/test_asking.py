"""The no-vote check and the ballot records: what they tell, and that nobody else is told anything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.portal.challenge import Challenges, parse_answer
from auditor.portal.errors import PortalRefused
from client.encodings.ballot import sign_ballot
from tests.unit.auditor.meeting_player import ACK_FORM, CHANNEL, MTG
from tests.unit.auditor.portal.site import PATH

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from client.encodings.ballot import Ballot
    from tests.unit.auditor.portal.site import Site

ENGLISH = {"Accept-Language": "en"}


def asked(site: Site, place: Any, answer: str = "") -> tuple[int, str]:
    form = {"place": place if isinstance(place, str) else json.dumps(place), "answer": answer}
    response = site.client.post(f"{PATH}/no-vote", data=form, headers=ENGLISH)
    return response.status_code, response.get_data(as_text=True)


def test_a_lender_who_did_not_vote_sees_that_nobody_did_for_them(site: Site) -> None:
    status, page = asked(site, site.place("chen"))
    assert (status, "No ballot was cast in your name" in page) == (200, True)
    assert "A key is enrolled under your pseudonym" in page


def test_a_ballot_in_ones_name_is_shown_with_time_and_identity_check(site: Site) -> None:
    site.player.submit([("an", 3, {"seq": 2})])
    site.watcher.refresh()
    status, page = asked(site, site.place("an"))
    assert (status, "Ballots cast in your name: 2" in page) == (200, True)
    assert ACK_FORM in page
    an = site.player.scene.lenders["an"]
    for number, word in ((1, "replaced"), (2, "stands")):
        assert site.player.scene.session(an, number).ses in page
        assert word in page
    assert "insecure-demo" in page
    assert site.player.ballot("an").digest not in page


def test_the_enrolled_key_opens_the_rest_and_choices_after_the_close_alone(site: Site) -> None:
    digest = site.player.ballot("an").digest
    _, page = asked(site, site.place("an"), site.answered("no-vote", "an"))
    assert digest in page
    assert "approve" not in page
    site.player.closed()
    site.watcher.refresh()
    assert "approve" in asked(site, site.place("an"), site.answered("no-vote", "an"))[1]
    assert "approve" not in asked(site, site.place("an"))[1]


def test_without_the_right_leaf_the_answer_is_always_the_same(site: Site) -> None:
    right = site.place("an")
    salted = {**right, "leaf": {**right["leaf"], "salt": "A" * 22}}
    richer = {**right, "leaf": {**right["leaf"], "claims": [{"class": "individual", "fen": 1}]}}
    nobody = {**right, "leaf": {**right["leaf"], "sub": "A" * 22}}
    wrong = [salted, richer, nobody, {**right, "index": 3}, {**right, "path": []}, {}, "nonsense", "", "[]"]
    answers = {asked(site, one) for one in wrong}
    answers.add(asked(site, right, site.answered("no-vote", "bo")))  # another's key
    answers.add(asked(site, right, site.answered("records", "an")))  # a challenge for something else
    boolean = site.challenge("no-vote").replace('"v":1', '"v":true')
    answers.add(asked(site, right, site.answered("no-vote", "an", boolean)))
    answers.add(asked(site, right, "nonsense"))
    ((status, page),) = answers
    assert status == 403
    assert "does not prove that you may see it" in page


def test_a_challenge_is_good_once_and_not_for_long(site: Site) -> None:
    answer = site.answered("no-vote", "an")
    assert asked(site, site.place("an"), answer)[0] == 200
    assert asked(site, site.place("an"), answer)[0] == 403
    now = [0.0]
    challenges = Challenges(lambda: now[0])
    facts, enrolment = (
        site.watcher.facts.meetings[CHANNEL, MTG],
        site.watcher.enrolment(site.player.scene.lenders["an"].sub),
    )
    old = parse_answer(site.answered("no-vote", "an", challenges.make("no-vote", facts)).encode())
    now[0] = 601.0
    with pytest.raises(PortalRefused, match="NOT_SHOWN"):
        challenges.verify_lender(old, "no-vote", facts, enrolment)
    foreign = parse_answer(site.answered("no-vote", "an", Challenges().make("no-vote", facts)).encode())
    with pytest.raises(PortalRefused, match="NOT_SHOWN"):
        challenges.verify_lender(foreign, "no-vote", facts, enrolment)


def test_a_revoked_key_opens_nothing(site: Site) -> None:
    site.player.revoke(site.player.scene.lenders["an"])
    site.watcher.refresh()
    assert asked(site, site.place("an"), site.answered("no-vote", "an"))[0] == 403


def records(site: Site, **form: str) -> tuple[int, Any]:
    response = site.client.post(f"{PATH}/records", data={"form": "json", **form})
    assert response.status_code != 200 or response.is_streamed  # never all of them in memory
    return response.status_code, response.get_json(silent=True)


def test_lenders_and_organisations_of_the_meeting_see_its_records(site: Site) -> None:
    an = json.dumps(site.place("an"))
    for person in (site.player.officer, site.stage.fabric.person("ArbitrationMSP", "auditor")):
        status, value = records(site, answer=site.officer("records", person))
        assert (status, value["asking"], len(value["ballots"])) == (200, person.msp_id, 2)
    status, value = records(site, answer=site.answered("records", "an"), place=an)
    assert (status, value["asking"]) == (200, "lender")
    assert "votes" not in value["ballots"][0]
    site.player.closed()
    site.watcher.refresh()
    _, value = records(site, answer=site.officer("records", site.player.officer))
    assert value["ballots"][1]["votes"] == {"m1": "approve", "m2": "reject"}
    page = site.client.post(
        f"{PATH}/records", data={"answer": site.officer("records", site.player.officer)}, headers=ENGLISH
    )
    assert "2 of 2 shown" in page.get_data(as_text=True)


def test_of_others_ballots_a_lender_sees_nothing_to_try_choices_on_before_the_close(site: Site) -> None:
    bo = site.player.ballot("bo", m2="reject")
    # Why: who has a ballot's identity check guesses the choices and compares digests.
    known = site.player.scene.lenders["an"]
    guesses = (replace(bo.ballot, votes={"m1": "approve", "m2": vote}) for vote in ("approve", "reject"))
    assert bo.digest in {_digest(one, bo.jws.x5t, known.key) for one in guesses}
    own = site.player.ballot("an")
    form = {"answer": site.answered("records", "an"), "place": json.dumps(site.place("an"))}
    _, value = records(site, **form)
    mine, other = value["ballots"]
    assert (mine["digest"], mine["ses"]) == (own.digest, own.ballot.ses)
    assert (other["sub"], other["stands"], "digest" in other, "ses" in other) == (
        bo.ballot.sub,
        True,
        False,
        False,
    )
    form["answer"] = site.answered("records", "an")
    page = site.client.post(f"{PATH}/records", data=form, headers=ENGLISH).get_data(as_text=True)
    for secret in (bo.digest, bo.ballot.ses):
        assert secret not in json.dumps(value)
        assert secret not in page
    assert own.digest in page
    _, value = records(site, answer=site.officer("records", site.player.officer))
    assert value["ballots"][1]["digest"] == bo.digest
    site.player.closed()
    site.watcher.refresh()
    _, value = records(site, **(form | {"answer": site.answered("records", "an")}))
    assert (value["ballots"][1]["digest"], value["ballots"][1]["ses"]) == (bo.digest, bo.ballot.ses)


def _digest(ballot: Ballot, x5t: str, key: EllipticCurvePrivateKey) -> str:
    """A digest needs a thumbprint, not the voter's signature."""
    return sign_ballot(ballot, x5t, key).digest


def test_nobody_else_sees_a_record(site: Site) -> None:
    an, officer = json.dumps(site.place("an")), site.player.officer
    relay = site.officer("records", site.player.relay)
    other_purpose = site.officer("no-vote", officer)
    borrowed = json.loads(site.officer("records", site.player.relay)) | {
        "certificate": json.loads(site.officer("records", officer))["certificate"],
        "msp": officer.msp_id,
    }
    moved = json.loads(site.officer("records", officer)) | {"msp": "RegulatorMSP"}
    for form in (
        {"answer": relay},
        {"answer": other_purpose},
        {"answer": json.dumps(borrowed)},
        {"answer": json.dumps(moved)},
        {"answer": site.answered("records", "an")},  # no leaf
        {"answer": site.answered("records", "bo"), "place": an},
        {"answer": site.officer("records", officer).replace('"v":1', '"v":2')},
        {"answer": site.officer("records", officer).replace('"v":1', '"v":true')},
        {"answer": ""},
        {},
    ):
        assert records(site, **form)[0] == 403
