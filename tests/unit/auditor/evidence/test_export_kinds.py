"""Packages of ballots by proxy and of lenders whose entry an amendment changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evidence.container import decode
from auditor.evidence.counted import verify_counted
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from client.encodings import jcs
from tests.unit.auditor.meeting_player import MTG

if TYPE_CHECKING:
    from tests.unit.auditor.evidence.case import Case


def refused(case: Case, files: dict[str, bytes]) -> str:
    with pytest.raises(EvidenceRefused) as caught:
        verify_evidence(case.signed(files), case.trust)
    return caught.value.code


def test_a_ballot_by_proxy_names_its_mandate_and_what_became_of_it(proxied: Case) -> None:
    verified = verify_evidence(proxied.package, proxied.trust)
    lenders = proxied.stage.player.scene.lenders
    said = as_json(verified)
    assert (said["sub"], said["proxy"]) == (lenders["an"].sub, lenders["ding"].sub)
    assert said["mandate"] == {"digest": verified.ballot.ballot.prx, "status": "revoked"}
    assert said["certificate"]["x5t"] == lenders["ding"].x5t
    assert "as proxy, by mandate" in as_text(verified)
    files = decode(proxied.package)
    assert jcs.loads(files["mandate/records.json"])[1]["revoked"]["enr"] == 1
    assert jcs.loads(files["mandate/principal.json"])[0]["sub"] == lenders["an"].sub
    assert "roll/leaf.json" in files


def test_every_bit_of_the_mandates_files_is_the_channels(proxied: Case) -> None:
    for name in ("mandate/records.json", "mandate/principal.json"):
        changed = bytearray(proxied.files[name])
        changed[len(changed) // 2] ^= 1
        assert refused(proxied, {**proxied.files, name: bytes(changed)}) == "EVIDENCE_RECORD"
        assert refused(proxied, {n: d for n, d in proxied.files.items() if n != name}) == "EVIDENCE_FILES"


def test_without_the_mandates_block_no_proxy_had_a_mandate(proxied: Case) -> None:
    held = verify_evidence(proxied.package, proxied.trust).held
    name = f"blocks/arbitration-institutiona/{held.mandates[0].place[0]:010d}.pb"
    without = {one: data for one, data in proxied.files.items() if one != name}
    assert refused(proxied, without) == "EVIDENCE_RECORD"
    only = jcs.dumps([jcs.loads(held.mandates[1].record.encode())])  # the file fits what is left
    assert refused(proxied, {**without, "mandate/records.json": only}) == "EVIDENCE_MANDATE"


def test_a_mandate_that_is_not_the_voters(proxied: Case) -> None:
    verified = verify_evidence(proxied.package, proxied.trust)
    held, ballot = verified.held, verified.ballot
    first = held.mandates[0]
    others: tuple[dict[str, Any], ...] = (
        {"voter": held.enrolments},  # another's key
        {"voter": ()},
        {"mandates": (replace(first, record=replace(first.record, past=("A" * 43,))),)},
        {"mandates": (replace(first, place=(10**6, 0)),)},  # given after the ballot
    )
    for changes in others:
        with pytest.raises(EvidenceRefused) as caught:
            verify_counted(ballot, replace(held, **changes), MTG)
        assert caught.value.code in {"EVIDENCE_MANDATE", "EVIDENCE_BALLOT"}


def test_a_mandate_that_was_revoked_before_the_ballot(proxied: Case) -> None:
    verified = verify_evidence(proxied.package, proxied.trust)
    given = tuple(replace(one, place=(0, number)) for number, one in enumerate(verified.held.mandates))
    with pytest.raises(EvidenceRefused, match=r"EVIDENCE_MANDATE.*MANDATE_REVOKED"):
        verify_counted(verified.ballot, replace(verified.held, mandates=given), MTG)


def test_a_ballot_of_an_amended_entry_has_the_amendments_for_its_leaf(amended: Case) -> None:
    verified = verify_evidence(amended.package, amended.trust)
    said, files = as_json(verified), amended.files
    assert (said["amended"], said["fen"]) == (True, 6_00)
    assert verified.leaf is None
    assert {"roll/leaf.json", "roll/proof.json"}.isdisjoint(files)
    assert [one["document"]["no"] for one in jcs.loads(files["roll/amendments.json"])] == [1, 2]
    assert "as amendments of the roll left them" in as_text(verified)


def test_amendments_are_neither_left_out_nor_changed(amended: Case) -> None:
    files, held = amended.files, verify_evidence(amended.package, amended.trust).held
    for one in held.amendments:
        name = f"blocks/arbitration-institutiona/{one.place[0]:010d}.pb"
        assert refused(amended, {n: d for n, d in files.items() if n != name}) == "EVIDENCE_AMENDMENT"
        proposed = f"blocks/arbitration-institutiona/{one.place[0] - 1:010d}.pb"
        assert refused(amended, {n: d for n, d in files.items() if n != proposed}) == "EVIDENCE_AMENDMENT"
    changed = files["roll/amendments.json"].replace(b"corrected", b"corruptly")
    assert refused(amended, {**files, "roll/amendments.json": changed}) == "EVIDENCE_RECORD"


def test_a_leaf_where_an_amendment_has_the_entry(amended: Case, proxied: Case) -> None:
    """A leaf that the ballot was not counted with has no place in a package; elsewhere none is missing."""
    leaf = {name: proxied.files[name] for name in ("roll/leaf.json", "roll/proof.json")}
    assert refused(amended, {**amended.files, **leaf}) == "EVIDENCE_FILES"
    assert refused(proxied, {n: d for n, d in proxied.files.items() if n not in leaf}) == "EVIDENCE_FILES"


def test_what_the_manifest_says_of_amendments_is_what_the_blocks_hold(amended: Case) -> None:
    with pytest.raises(EvidenceRefused, match="EVIDENCE_AMENDMENT"):
        verify_evidence(amended.signed(amended.files, amendments=1), amended.trust)


def test_without_its_amendment_the_ballot_counts_with_nothing(amended: Case) -> None:
    verified = verify_evidence(amended.package, amended.trust)
    with pytest.raises(EvidenceRefused, match="EVIDENCE_LEAF"):
        verify_counted(verified.ballot, replace(verified.held, amendments=()), MTG)
