"""The description and the routes say the same, and answers are as described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from biometrics.reasons import Reason
from biometrics.service.openapi import document
from biometrics.service.problems import advice_of
from biometrics.terms.codes import CODES
from biometrics.terms.ledger_codes import LEDGER
from biometrics.terms.policy import default_service_policy
from client.encodings.codes import CODES as LEDGER_CODES
from tests.unit.biometrics_service.test_officers import book, cases, review, slot

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.unit.biometrics_service.conftest import World

DOCUMENT = document(default_service_policy())


def conforms(value: Any, schema: dict[str, Any], where: str = "answer") -> None:
    """Check a value against the part of JSON Schema that the description uses."""
    kinds = schema.get("type", [])
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    allowed = tuple(types[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    assert not allowed or isinstance(value, allowed), f"{where} is {value!r}"
    if "pattern" in schema and isinstance(value, str):
        assert re.search(schema["pattern"], value), where
    if "enum" in schema:
        assert value in schema["enum"], where
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value), where
        assert schema["additionalProperties"] or set(value) <= set(schema["properties"]), where
        for name, inner in schema["properties"].items():
            if name in value:
                conforms(value[name], inner, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            conforms(inner, schema["items"], f"{where}[]")


def described(answer: TestResponse, method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method.lower()]
    response = operation["responses"][str(answer.status_code)]
    schema = response["content"][answer.content_type]["schema"]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"]["Problem"]
        assert answer.get_json()["code"] in response["description"] or "picture" in response["description"]
    conforms(answer.get_json(), schema)


def test_every_route_is_described_and_every_description_routed(world: World) -> None:
    routed = {
        (re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in world.web.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(path, method.upper()) for path, entry in DOCUMENT["paths"].items() for method in entry}
    assert routed == listed


def test_the_service_serves_the_description(world: World) -> None:
    answer = world.web.get("/openapi.json")
    assert answer.get_json() == DOCUMENT
    assert answer.get_json()["openapi"] == "3.1.0"


def test_answers_are_as_described(world: World) -> None:
    lender = world.lender("none")
    described(lender.open(world.web), "post", "/v1/checks")
    lender.consent(world.web)
    described(lender.open(world.web), "post", "/v1/checks")
    for word in ("accept", "retry", "unreadable", "crash", "review"):
        described(lender.check(world.web, word), "post", "/v1/checks/{ses}/frames")
    described(lender.open(world.web), "post", "/v1/checks")
    described(lender.ask(world.web, "POST", "/v1/consents/list", lender.me()), "post", "/v1/consents/list")
    officer = world.officer("officer-one")
    described(slot(world, officer), "post", "/v1/slots")
    described(slot(world, officer, kind="letter"), "post", "/v1/slots")
    where = slot(world, officer).get_json()["id"]
    described(book(world, world.lender(), where), "post", "/v1/bookings")
    described(book(world, world.lender(), where), "post", "/v1/bookings")
    described(world.web.get("/v1/slots/InstitutionAMSP"), "get", "/v1/slots/{institution}")
    described(officer.ask(world.web, "GET", "/v1/cases"), "get", "/v1/cases")
    case = next(case["id"] for case in cases(world, officer) if case["kind"] == "review")
    described(officer.ask(world.web, "POST", f"/v1/cases/{case}/take", {}), "post", "/v1/cases/{case}/take")
    value = {"verdict": "reject", "reason": "not-live"}
    answer = officer.ask(world.web, "POST", f"/v1/cases/{case}/decision", value)
    described(answer, "post", "/v1/cases/{case}/decision")
    described(
        lender.ask(world.web, "POST", "/v1/consents/withdraw", lender.me(kind="face")),
        "post",
        "/v1/consents/withdraw",
    )
    described(lender.ask(world.web, "POST", "/v1/erasures", lender.me()), "post", "/v1/erasures")
    described(world.web.get("/v1/health"), "get", "/v1/health")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_advice_in_both_languages(code: str) -> None:
    entry = CODES[code]
    assert 400 <= entry.status < 600
    assert entry.en.endswith(".")
    assert entry.zh.endswith("。")
    assert re.search(r"[\u4e00-\u9fff]", entry.zh)
    assert code not in set(Reason)


@pytest.mark.parametrize("code", sorted(LEDGER))
def test_what_the_ledger_refuses_has_a_sentence_of_its_own_in_both_languages(code: str) -> None:
    advice = advice_of(code)
    assert advice["en"] == LEDGER_CODES[code]
    assert advice["zh-CN"].endswith("。")
    assert code not in CODES
    assert advice not in (advice_of("INTERNAL"), advice_of("UNKNOWN_CODE"))


def test_a_check_that_the_ledger_refused_says_why(world: World) -> None:
    world.ledger.refuses = "SESSION_EXISTS"
    body = world.lender().check(world.web).get_json()
    assert body["reasons"] == [{"code": "SESSION_EXISTS", "advice": advice_of("SESSION_EXISTS")}]


def test_malformed_requests_are_refused(world: World) -> None:
    lender = world.lender()
    cases_ = (
        lender.me(),
        lender.me(mtg="exit-2026", public_key="AAAA"),
        lender.me(mtg="Not A Meeting"),
        lender.me(mtg=1),
        lender.me(mtg="exit-2026", extra=1),
        {"institution": "InstitutionAMSP"},
        [1, 2],
    )
    for value in cases_:
        answer = lender.ask(world.web, "POST", "/v1/checks", value)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "REQUEST_FORMAT"), value
    answer = world.web.post("/v1/checks", data=b"{", content_type="application/json")
    assert answer.get_json()["code"] == "REQUEST_FORMAT"
    assert world.web.post("/v1/checks/abc/frames", data=b"x").get_json()["code"] == "REQUEST_FORMAT"
    assert world.web.put("/v1/checks").get_json()["code"] == "METHOD_NOT_ALLOWED"
    assert world.web.get("/nothing").get_json()["code"] == "NOT_FOUND"


def test_a_body_that_is_too_large_is_refused_unread(world: World) -> None:
    answer = world.web.post("/v1/checks", data=b" " * 70_000, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "REQUEST_TOO_LARGE")
    large = world.service.parts.policy.request_bytes_at_most + 1
    answer = world.web.post("/v1/checks/abc/frames", headers={"Content-Length": str(large)}, data=b"x")
    assert (answer.status_code, answer.get_json()["code"]) in {
        (413, "REQUEST_TOO_LARGE"),
        (400, "REQUEST_FORMAT"),
    }


def test_a_review_is_answered_as_described(world: World) -> None:
    _, ses, _ = review(world)
    answer = world.web.get(f"/v1/checks/{ses}")
    assert answer.status_code == 202
    described(answer, "get", "/v1/checks/{ses}")
