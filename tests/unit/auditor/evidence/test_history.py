"""What became of a ballot after it was counted: replaced by another, weighed anew by an amendment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.evidence.counted import verify_counted
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.result import verify_result
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.replay.effect import composite
from client.encodings import jcs
from tests.unit.auditor.amending_player import AmendingPlayer
from tests.unit.auditor.evidence.kinds import MORE, case_of
from tests.unit.auditor.evidence.test_explanation import text_of
from tests.unit.auditor.meeting_player import MTG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network
    from tests.unit.auditor.evidence.case import Case


def test_a_replaced_ballot_is_not_presented_as_the_one_that_stands(replaced: Case) -> None:
    assert not verify_evidence(replaced.package, replaced.trust).counted.stands
    with pytest.raises(EvidenceRefused, match=r"EVIDENCE_BALLOT.*the manifest says that it stood"):
        verify_evidence(replaced.signed(replaced.files, stands=True), replaced.trust)


def test_nor_one_that_stands_as_replaced(reweighed: Case) -> None:
    assert verify_evidence(reweighed.package, reweighed.trust).counted.stands
    with pytest.raises(EvidenceRefused, match=r"EVIDENCE_BALLOT.*the manifest says that it was replaced"):
        verify_evidence(reweighed.signed(reweighed.files, stands=False), reweighed.trust)


def test_the_voters_earlier_ballots_are_what_it_is_judged_against(replaced: Case) -> None:
    """With the later ballot written first, the channel could never have taken this one."""
    verified = verify_evidence(replaced.package, replaced.trust)
    held, own = verified.held, composite("ballot", MTG, verified.ballot.ballot.sub)
    backwards = replace(
        held.channel, written={**held.channel.written, own: list(reversed(held.channel.of(own)))}
    )
    with pytest.raises(EvidenceRefused, match=r"EVIDENCE_BALLOT.*SEQ_STALE"):
        verify_counted(verified.ballot, replace(held, channel=backwards), MTG)
    once = replace(held, meeting=replace(held.meeting, revote="none"), channel=backwards)
    with pytest.raises(EvidenceRefused, match=r"EVIDENCE_BALLOT"):
        verify_counted(verified.ballot, once, MTG)


def test_a_ballot_says_what_an_amendment_made_of_its_claims_since(reweighed: Case) -> None:
    verified = verify_evidence(reweighed.package, reweighed.trust)
    said = as_json(verified)
    assert said["reweighed"] == {
        "claims": [{"class": one.cls, "fen": one.fen} for one in MORE],
        "fen": 6_00,
        "excluded": [],
    }
    assert (said["amended"], said["fen"] != said["reweighed"]["fen"]) == (False, True)
    assert "which counts with 600 fen since, by an amendment" in as_text(verified)
    text = text_of(reweighed.files["explanation.pdf"])
    assert 'countedfornothingon:[{"class":"enterprise","fen":100}' in text.replace(" ", "")
    assert "\ufffd" not in text


def test_a_ballot_whose_voter_left_the_roll_counts_with_nothing(reweighed: Case) -> None:
    verified = verify_evidence(reweighed.package, reweighed.trust)
    gone = replace(verified.counted, last=replace(verified.counted.last, claims=()))
    assert "took its voter off the roll" in as_text(replace(verified, counted=gone))


def test_motions_that_it_counts_nothing_for_are_named(replaced: Case) -> None:
    verified = verify_evidence(replaced.package, replaced.trust)
    excluded = replace(verified.counted, record=replace(verified.counted.record, excluded=("m1",)))
    said = replace(verified, counted=excluded)
    assert as_json(said)["excluded"] == ["m1"]
    assert "counted for nothing on m1" in as_text(said)


def test_a_result_is_decided_again_among_those_whom_the_amendments_left(
    fabric: Network, tmp_path: Path
) -> None:
    """Two thirds of the roll's claims as frozen are not two thirds of them as amended."""
    player = AmendingPlayer(fabric).enrolled().opened()
    assert isinstance(player, AmendingPlayer)
    player.submit([("an", 1, {}), ("bo", 2, {})])
    player.amend(chen=MORE).closed()
    case = case_of(fabric, tmp_path, player, player.ballot("an").digest)
    held = verify_evidence(case.package, case.trust).held
    tests = jcs.loads(held.result)["motions"]["m1"]["tests"]
    assert tests
    for forged in (replace(held, amendments=()), replace(held, result=_with_more(held.result))):
        with pytest.raises(EvidenceRefused, match="EVIDENCE_RESULT"):
            verify_result(forged)


def _with_more(result: bytes) -> bytes:
    value = jcs.loads(result)
    value["motions"]["m1"]["tests"][0]["denominator"] += 1
    return jcs.dumps(value)
