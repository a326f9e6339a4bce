"""Packages with the voter's objections, their answers and awards, and the heads anchored on the channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evidence.anchored import read_anchors
from auditor.evidence.disputes import read_disputes
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.replay.effect import composite
from client.encodings import base64url, jcs
from tests.unit.auditor.evidence.kinds import OTHER, case_of
from tests.unit.auditor.evidence.test_explanation import text_of
from tests.unit.auditor.evidence.test_export_kinds import refused
from tests.unit.auditor.meeting_player import MTG
from tests.unit.auditor.test_disputes import Disputes

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.evidence.chain import Records
    from auditor.evidence.records import Held
    from tests.unit.auditor.builder import Network
    from tests.unit.auditor.evidence.case import Case


@pytest.fixture(scope="module")
def held(disputed: Case) -> Held:
    return verify_evidence(disputed.package, disputed.trust).held


def test_a_package_has_its_voters_objection_answer_and_award(disputed: Case) -> None:
    verified = verify_evidence(disputed.package, disputed.trust)
    (dispute,) = as_json(verified)["disputes"]
    assert dispute["sub"] == verified.ballot.ballot.sub
    assert (dispute["answer"]["position"], dispute["award"]["remedy"]) == ("contests", "recount")
    assert "on the ground count: contests, upheld" in as_text(verified)
    (record,) = jcs.loads(disputed.files["disputes/records.json"])
    assert record["award"]["anchor"] == verified.held.anchors[0].tx
    text = text_of(disputed.files["explanation.pdf"])
    assert "count, contests, upheld recount" in text
    assert "\ufffd" not in text


def test_the_anchored_heads_are_beginnings_of_the_log(disputed: Case) -> None:
    anchors = jcs.loads(disputed.files["log/anchors.json"])["anchors"]
    assert [(one["size"], len(one["path"])) for one in anchors] == [(1, 1), (2, 0)]
    said = as_json(verify_evidence(disputed.package, disputed.trust))["anchors"]
    assert [one["verdict"] for one in said] == ["consistent", "consistent"]


def test_another_path_proves_no_anchor(disputed: Case) -> None:
    value = jcs.loads(disputed.files["log/anchors.json"])
    value["anchors"][0]["path"] = [base64url.encode(bytes(32))]
    assert refused(disputed, {**disputed.files, "log/anchors.json": jcs.dumps(value)}) == "EVIDENCE_ANCHOR"
    value["anchors"].pop()
    assert refused(disputed, {**disputed.files, "log/anchors.json": jcs.dumps(value)}) == "EVIDENCE_FORMAT"
    without = {name: data for name, data in disputed.files.items() if name != "log/anchors.json"}
    assert refused(disputed, without) == "EVIDENCE_FILES"


def test_a_head_of_another_root_is_no_anchor(fabric: Network, tmp_path: Path) -> None:
    """The auditor that anchored a wrong root gets no package out that would hide it."""
    play = Disputes(fabric).objecting().anchor(2, root=base64url.encode(b"r" * 32))
    with pytest.raises(EvidenceRefused, match="EVIDENCE_ANCHOR"):
        case_of(fabric, tmp_path, play, play.ballot(play.names[0]).digest)


def test_one_bit_of_the_record_of_objections_is_found(disputed: Case) -> None:
    changed = disputed.files["disputes/records.json"].replace(b"contests", b"accepts_")
    assert refused(disputed, {**disputed.files, "disputes/records.json": changed}) == "EVIDENCE_RECORD"


def test_without_the_objections_block_its_files_have_nothing_behind_them(disputed: Case, held: Held) -> None:
    key = composite("objection", MTG, held.disputes[0].filed.objection.obj)
    name = f"blocks/arbitration-institutiona/{held.channel.of(key)[0].place[0]:010d}.pb"
    without = {one: data for one, data in disputed.files.items() if one != name}
    assert refused(disputed, without) == "EVIDENCE_FILES"


def objection_refused(held: Held, channel: Records, **changes: Any) -> str:
    given: dict[str, Any] = {"voter": held.voter, "anchors": held.anchors, **changes}
    with pytest.raises(EvidenceRefused) as caught:
        read_disputes(channel, held.meeting, issuer=held.issuer, **given)
    return caught.value.code


def test_an_objection_that_is_not_as_it_was_filed(held: Held) -> None:
    obj = held.disputes[0].filed.objection.obj
    stranger = (replace(held.voter[0], x5t="A" * 43),)
    assert objection_refused(held, held.channel, voter=stranger) == "EVIDENCE_OBJECTION"
    assert objection_refused(held, held.channel, anchors=()) == "EVIDENCE_OBJECTION"
    for kind in ("objection", "answer", "award"):
        key = composite(kind, MTG, obj)
        (one,) = held.channel.of(key)
        value = (one.value or b"").replace(b'"tx":"', b'"tx":"00')
        forged = replace(held.channel, written={**held.channel.written, key: [replace(one, value=value)]})
        if kind == "objection":  # no record at all: nobody's objection
            assert read_disputes(forged, held.meeting, held.voter, held.issuer, held.anchors) == ()
        else:
            assert objection_refused(held, forged) == "EVIDENCE_OBJECTION"


def test_an_objection_under_the_key_of_another(held: Held) -> None:
    (filed,) = held.channel.of(composite("objection", MTG, held.disputes[0].filed.objection.obj))
    other = {**held.channel.written, composite("objection", MTG, OTHER): [filed]}
    assert objection_refused(held, replace(held.channel, written=other)) == "EVIDENCE_OBJECTION"


def test_an_anchor_of_another_meeting_or_signer(held: Held) -> None:
    key = composite("audit", MTG)
    (filed,) = held.channel.of(composite("objection", MTG, held.disputes[0].filed.objection.obj))
    for records in (
        [replace(held.channel.of(key)[0], endorsed=filed.endorsed)],  # another transaction's creator
        list(reversed(held.channel.of(key))),  # fewer ballots than the one before
    ):
        forged = replace(held.channel, written={**held.channel.written, key: records})
        with pytest.raises(EvidenceRefused, match="EVIDENCE_ANCHOR"):
            read_anchors(forged, held.meeting)
    with pytest.raises(EvidenceRefused, match="EVIDENCE_ANCHOR"):
        read_anchors(held.channel, replace(held.meeting, institution="AnotherMSP"))
