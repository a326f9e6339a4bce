"""Orderers who sign bad blocks, and records that don't fit the ballot: what a manifest alone can't mend."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor import protobuf as pb
from auditor.evidence.chain import block_name
from auditor.evidence.counted import verify_counted, verify_entry
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.files import custody
from auditor.evidence.verify import VerifiedEvidence, verify_evidence
from auditor.evidence.writers import ONCE, WRITERS
from auditor.replay.authority import GRANTS
from tests.unit.auditor.lenders import key
from tests.unit.auditor.meeting_player import CHANNEL, MTG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evidence.records import Held
    from tests.unit.auditor.evidence.case import Case

BALLOTS = 5  # the block with the ballots


def with_block(
    case: Case, envelope: bytes, signers: Sequence[str] | None = None, *, config: bool = False
) -> str:
    """The code that refuses a package whose ballots' block the orderers signed with another content."""
    chain = copy.copy(case.stage.player.chain)
    chain.blocks = chain.blocks[:BALLOTS]
    name = block_name(CHANNEL, BALLOTS)
    files = {**case.files, name: chain.add(envelope, signers=signers, config=config)}
    with pytest.raises(EvidenceRefused) as caught:
        verify_evidence(case.signed(files), case.trust)
    assert name in str(caught.value)
    return caught.value.code


def envelope_of(case: Case, number: int) -> bytes:
    block = pb.common.Block.FromString(case.stage.player.chain.blocks[number])
    return bytes(block.data.data[0])


def test_a_transaction_that_nobody_signed(case: Case) -> None:
    envelope = pb.common.Envelope.FromString(envelope_of(case, BALLOTS))
    envelope.signature = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    assert with_block(case, envelope.SerializeToString()) == "EVIDENCE_TRANSACTION"


def test_a_block_that_too_few_orderers_signed(case: Case) -> None:
    two = list(case.stage.fabric.orderers)[:2]
    assert with_block(case, envelope_of(case, BALLOTS), signers=two) == "EVIDENCE_BLOCK"


def test_a_configuration_without_the_regulator(case: Case) -> None:
    assert with_block(case, envelope_of(case, 0), config=True) == "EVIDENCE_CONFIGURATION"


@pytest.mark.parametrize(
    ("person", "function", "kind", "code"),
    [
        ("relay", "FileObjection", "result", "EVIDENCE_TRANSACTION"),
        ("officer", "AnswerObjection", "ballot", "EVIDENCE_TRANSACTION"),
        ("officer", "ProposeAmendment", "state", "EVIDENCE_TRANSACTION"),
        ("officer", "ProposeMeeting", "meeting", "EVIDENCE_RECORD"),
        ("officer", "ProposeMeeting", "cap", "EVIDENCE_RECORD"),
    ],
)
def test_a_record_by_a_function_that_never_writes_it_or_again(
    case: Case, person: str, function: str, kind: str, code: str
) -> None:
    """Endorsed, ordered and signed for by everybody: what no chaincode does shows by itself."""
    player = case.stage.player
    chain = copy.copy(player.chain)
    chain.blocks = list(chain.blocks)
    number = len(chain.blocks)
    signed = verify_evidence(case.package, case.trust).ballot.ballot
    written = key(kind, MTG, *([signed.sub] if kind == "ballot" else []))
    creator = getattr(player, person)
    transaction = chain.invoke(
        creator, "arbitration", [function.encode(), b"{}"], response=b"{}", writes={written: b"{}"}, reads={}
    )
    name = block_name(CHANNEL, number)
    heights = {**case.subject.heights, CHANNEL: number + 1}
    files = {**case.files, name: chain.add(transaction)}
    files["custody.json"] = custody(case.subject.time, heights, "RegulatorMSP")
    with pytest.raises(EvidenceRefused) as caught:
        verify_evidence(case.signed(files, heights=heights), case.trust)
    assert (caught.value.code, name in str(caught.value)) == (code, True)
    assert function in str(caught.value)


def test_every_function_that_writes_is_one_that_somebody_may_call() -> None:
    granted = {function for _, function in GRANTS}
    assert {function for functions in WRITERS.values() for function in functions} <= granted
    assert WRITERS.keys() >= ONCE


def refused(case: Case, **changes: Any) -> str:
    """The code for which the ballot is refused with other records than the blocks'."""
    verified = verify_evidence(case.package, case.trust)
    held: Held = replace(verified.held, **changes)
    with pytest.raises(EvidenceRefused) as caught:
        verify_counted(verified.ballot, held, MTG)
    return caught.value.code


def test_an_identity_check_that_does_not_allow_the_ballot(case: Case) -> None:
    session = verify_evidence(case.package, case.trust).held.session
    changes: list[dict[str, Any]] = [
        {"outcome": "reject"},
        {"expires_at": "2026-03-03T08:29:59Z"},
        {"sub": "A" * 22},
        {"mtg": "another"},
        {"x5t": "A" * 43},
        {"method": "officer-v1"},
    ]
    for change in changes:
        assert refused(case, session=replace(session, **change)) == "EVIDENCE_SESSION"


def test_a_certificate_that_is_not_the_enrolled_one(case: Case) -> None:
    held = verify_evidence(case.package, case.trust).held
    enrolment = held.enrolments[0]
    assert refused(case, enrolments=()) == "EVIDENCE_CERTIFICATE"
    assert refused(case, enrolments=(replace(enrolment, status="revoked"),)) == "EVIDENCE_CERTIFICATE"
    assert refused(case, issuer=replace(held.issuer, status="proposed")) == "EVIDENCE_CERTIFICATE"
    assert refused(case, enrolments=(replace(enrolment, certificate=held.issuer.certificate),)) == (
        "EVIDENCE_CERTIFICATE"
    )


def test_an_entry_that_is_not_on_the_roll(case: Case) -> None:
    assert refused(case, cap=(bytes(32),)) == "EVIDENCE_LEAF"
    verified = verify_evidence(case.package, case.trust)
    assert verified.leaf is not None
    leaf = replace(verified.leaf, salt=bytes(16))
    index = verified.held.meeting.roll.size - 1
    with pytest.raises(EvidenceRefused, match="EVIDENCE_LEAF"):
        verify_entry((leaf, index, ()), verified.ballot, verified.held, verified.counted)


def test_nobody_else_makes_a_verified_package(case: Case) -> None:
    verified = verify_evidence(case.package, case.trust)
    with pytest.raises(TypeError, match="only verify_evidence"):
        replace(verified, seal=object())  # type: ignore[arg-type]
    assert isinstance(verified, VerifiedEvidence)
