"""Objections, answers, awards and anchors against tests/vectors/objection.json, accept and reject."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from client.encodings import certificates, records
from client.encodings.anchor import parse_anchor
from client.encodings.award import Answer, Award
from client.encodings.errors import Refused
from client.encodings.objection import parse_objection
from tests.unit.encodings.test_vectors import load, named

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTS: dict[str, Callable[[bytes], Any]] = {
    "AnswerObjection": Answer.parse,
    "DecideObjection": Award.parse,
    "AnchorAudit": parse_anchor,
}
FILE = load("objection.json")


def key() -> Any:
    return certificates.public_key(records.decode_certificate(FILE["certificate"]))


def test_objections() -> None:
    for vector in FILE["accept"]:
        signed = parse_objection(vector["jws"])
        signed.verify(key())
        assert signed.digest == vector["digest"]
        assert json.loads(signed.objection.payload()) == vector["payload"]


@pytest.mark.parametrize("vector", named(FILE["reject"]))
def test_objection_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse_objection(vector["jws"]).verify(key())
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named(FILE["documents"]["accept"]))
def test_document(vector: dict[str, Any]) -> None:
    document = DOCUMENTS[vector["function"]](vector["document"].encode())
    assert json.loads(document.encode()) == json.loads(vector["document"])


@pytest.mark.parametrize("vector", named(FILE["documents"]["reject"]))
def test_document_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        DOCUMENTS[vector["function"]](vector["document"].encode())
    assert refused.value.code == "ARGUMENT_FORMAT"
