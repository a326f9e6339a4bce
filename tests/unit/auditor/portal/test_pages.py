"""What the pages show, to whom, in which language; and that a running vote's choices are nowhere."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from auditor.log.trust import parse_trust
from auditor.portal.language import LANGUAGES, texts
from auditor.portal.pace import Pace, Rate
from auditor.portal.security import HEADERS
from tests.unit.auditor.log.stage import NOW
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.site import PAGES, PATH

if TYPE_CHECKING:
    from tests.unit.auditor.portal.site import Site


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    chinese, english = (texts(one) for one in LANGUAGES)
    assert chinese.keys() == english.keys()
    gaps = re.compile(r"\{(\w+)\}")
    assert {key: sorted(gaps.findall(text)) for key, text in chinese.items()} == {
        key: sorted(gaps.findall(text)) for key, text in english.items()
    }


def test_every_text_that_a_template_names_is_there() -> None:
    folder = resources.files("auditor.portal") / "templates"
    named = {
        key
        for one in folder.iterdir()
        for key in re.findall(r't\(["\']([\w.]+)["\'][,)]', one.read_text("utf-8"))
    }
    assert len(named) > 60
    assert named - texts("en").keys() == set()


@pytest.mark.parametrize("path", PAGES)
def test_pages_come_in_the_language_asked_for_with_every_header(site: Site, path: str) -> None:
    for accept, query, language in (
        ("zh-CN,zh;q=0.9", "", "zh-CN"),
        ("en-GB,en;q=0.8", "", "en"),
        ("zh", "?lang=en", "en"),
        ("fr", "", "zh-CN"),
    ):
        response = site.client.get(f"{path}{query}", headers={"Accept-Language": accept})
        assert f'<html lang="{language}">' in response.get_data(as_text=True)
        assert response.headers["Content-Language"] == language
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert "<script" not in response.get_data(as_text=True)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', response.get_data(as_text=True))


def every_answer(site: Site) -> dict[str, str]:
    """Every address's answer while the meeting is open, to whoever may see most there."""
    site.stage.publish()
    lender = {"place": json.dumps(site.place("an"))}
    officer = site.officer("records", site.player.officer)
    taken = site.hand_in(site.player.ballot("chen"), "chen").get_json()["digest"]
    client, objection = site.client, site.objection("an")
    responses = {
        **{path: client.get(path) for path in PAGES[:-1]},
        **{path: client.get(path) for path in ("/trust.json", "/build.json", "/static/portal.css")},
        f"{PATH}/head.json": client.get(f"{PATH}/head.json"),
        f"/api{PATH}": client.get(f"/api{PATH}"),
        "/api/status": client.get("/api/status"),
        "POST /check": client.post("/check", data={"receipt": site.stage.receipt("an").decode()}),
        "/api/check": client.post("/api/check", data=site.stage.receipt("bo")),
        "leaf": client.post(f"{PATH}/no-vote", data=lender),
        "leaf and key": client.post(
            f"{PATH}/no-vote", data=lender | {"answer": site.answered("no-vote", "an")}
        ),
        "officer": client.post(f"{PATH}/records", data={"answer": officer, "form": "json"}),
        "lender": client.post(f"{PATH}/records", data=lender | {"answer": site.answered("records", "an")}),
        "door": site.hand_in(site.player.ballot("ding"), "ding"),
        "taken": client.get(f"/api{PATH}/ballots/{taken}"),
        "objection": client.post(f"/api{PATH}/objections", json={"v": 1, "objection": objection.compact}),
        "objected": client.get(f"/api{PATH}/objections/{objection.objection.obj}"),
    }
    assert {
        name: one.status_code for name, one in responses.items() if one.status_code not in (200, 202)
    } == {}
    rules = {str(rule) for rule in site.app.url_map.iter_rules()}
    assert len(rules) == 19  # a new address has to be added to what is asked here
    return {name: one.get_data(as_text=True) for name, one in responses.items()}


def test_an_open_meeting_shows_turnout_and_no_choice_at_any_address(site: Site) -> None:
    answers = every_answer(site)
    assert "2 / 7" in answers[PATH]
    an, bo = site.player.ballot("an"), site.player.ballot("bo", m2="reject")
    for name, text in answers.items():
        # The agenda names the choices that there are; nowhere is one counted, or tied to a ballot.
        bare = text.replace('"choices": ["approve", "reject", "abstain"]', "")
        assert not re.search("approve|reject|abstain", bare), name
    assert {an.digest, bo.digest} <= {one["digest"] for one in json.loads(answers["officer"])["ballots"]}
    assert an.digest in answers["leaf and key"]
    assert an.digest not in answers["leaf"]


def test_a_closed_meeting_shows_totals_rules_margins_heads(site: Site) -> None:
    site.player.closed()
    site.stage.publish()
    site.watcher.refresh()
    page = site.page(PATH)
    assert "Closed" in page
    assert "Rules, test by test" in page
    assert "would have turned it" in page
    assert "For this motion to come out otherwise" in page
    assert "approve" in page
    head = site.client.get(f"{PATH}/head.json")
    assert json.loads(head.get_data())["type"] == "concordat-head"
    value = json.loads(site.client.get(f"/api{PATH}").get_data())
    assert value["heads"][0]["time"] == NOW
    m1 = value["motions"][0]
    assert (m1["id"], m1["passed"], m1["choices"][0][:2]) == ("m1", False, ["approve", 2])
    assert value["anchored"] is False
    assert "同意" in site.page(PATH, "zh-CN")


def test_no_head_is_not_found(site: Site) -> None:
    assert site.client.get(f"{PATH}/head.json").status_code == 404


def test_a_silent_peer_is_said_on_the_page(site: Site) -> None:
    assert "is behind" not in site.page("/")
    site.peer.down = True
    site.watcher.refresh()
    assert "is behind" in site.page("/")
    assert "落后" in site.page(PATH, "zh-CN")


def test_what_was_found_broken_is_said_and_no_result_shown(site: Site) -> None:
    site.player.closed()
    site.player.chain.blocks[-1] = site.player.chain.blocks[-1].replace(b"ConfirmStep", b"ConfirmStap")
    site.watcher.refresh()
    page = site.page(PATH)
    assert "found something wrong" in page
    assert "no result is shown" in page
    assert "approve" not in page


def test_the_trust_root_and_the_page_code_are_published(site: Site) -> None:
    trust = parse_trust(site.client.get("/trust.json").get_data(), "it")
    assert trust == site.stage.trust
    assert trust.genesis[CHANNEL] in site.page("/trust")
    served = json.loads(site.client.get("/build.json").get_data())
    sheet = site.client.get("/static/portal.css").get_data()
    assert served["files"]["static/portal.css"] == hashlib.sha256(sheet).hexdigest()
    assert {"templates/meeting.html", "texts/en.toml"} <= served["files"].keys()
    assert served["digest"] in site.page("/trust")


def test_too_many_requests_are_told_when_to_come_back(site: Site) -> None:
    object.__setattr__(site.parts, "pace", Pace(Rate(2, 0.25), Rate(100, 100)))
    codes = [site.client.post("/check", data={"receipt": "{}"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = site.client.post("/api/check", data="{}")
    assert (refused.status_code, refused.get_json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert 1 <= int(refused.headers["Retry-After"]) <= 4
    assert site.client.get("/").status_code == 200  # reading has a rate of its own


def test_a_rate_comes_back_and_others_have_their_own() -> None:
    now = [0.0]
    pace = Pace(Rate(1, 0.5), Rate(100, 100), lambda: now[0])
    pace.take("a")
    pace.take("b")
    with pytest.raises(Exception, match="TOO_MANY_REQUESTS"):
        pace.take("a")
    now[0] = 2.0
    pace.take("a")


def test_what_is_too_large_or_malformed_is_refused(site: Site) -> None:
    large = site.client.post("/api/check", data=b"x" * 7_000_000)
    assert (large.status_code, large.get_json()["code"]) == (413, "REQUEST_TOO_LARGE")
    assert site.client.post("/check", data={}).status_code == 400
    assert (
        site.client.post(
            "/check", data={"receipt": "x" * 400_000}, content_type="multipart/form-data"
        ).status_code
        == 413
    )
    assert site.client.post(PATH).status_code == 405
    assert site.client.get("/meetings/institutionb/exit-a").status_code == 404


def test_without_its_database_the_service_says_so(site: Site) -> None:
    with site.database.write() as connection:
        for name in ("log_leaves", "log_nodes", "log_heads"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
    response = site.client.get(f"/api{PATH}")
    assert (response.status_code, response.get_json()["code"]) == (503, "UNAVAILABLE")
    assert response.headers["Retry-After"] == "30"
    assert site.client.get("/").status_code == 200


def test_a_defect_tells_nothing_of_what_was_worked_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("auditor.portal.pages.status_view", broken)
    response = site.client.get("/")
    assert response.status_code == 500
    assert "secret" not in response.get_data(as_text=True) + caplog.text
    assert "RuntimeError at" in caplog.text


def test_logs_name_routes_and_codes_and_nothing_personal(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        digest = site.hand_in(site.player.ballot("chen"), "chen").get_json()["digest"]
        site.client.get(f"/api{PATH}/ballots/{digest}")
        site.client.post(f"{PATH}/no-vote", data={"place": json.dumps(site.place("an"))})
    assert "POST /api/meetings/<institution>/<mtg>/ballots 202" in caplog.text
    lender = site.player.scene.lenders["chen"]
    for secret in (digest, lender.sub, site.player.scene.lenders["an"].sub, "127.0.0.1", MTG):
        assert secret not in caplog.text
