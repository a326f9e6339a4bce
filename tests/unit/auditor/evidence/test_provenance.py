"""The roll's countersignature and log of corrections: of this roll and this lender, or refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from auditor.evidence.container import decode
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from client.encodings import certificates, jcs, jws
from client.rolls.changes import Change
from client.rolls.corrections import NOTHING_BEFORE, Correction
from client.rolls.countersignature import TYP, Countersignature
from tests.unit.auditor.log.stage import NOW, der
from tests.unit.auditor.meeting_player import MTG

if TYPE_CHECKING:
    from tests.unit.auditor.evidence.case import Case

AT = "2026-02-20T08:00:00Z"
NAMES = ("roll/countersignature.json", "roll/corrections.jsonl")


def corrections(*changes: tuple[str, str]) -> bytes:
    """A log of corrections, by lender's pseudonym and column."""
    log, before = b"", NOTHING_BEFORE
    for number, (sub, column) in enumerate(changes, 1):
        cls = "individual" if column == "claim_yuan" else ""
        change = Change(
            sub, column, cls, "100.00", "120.00", "as the contract has it", "registrar", "ab" * 32
        )
        line = Correction(number, AT, number + 1, change, before).encode(MTG)
        log += line + b"\n"
        before = hashlib.sha256(line).hexdigest()
    return log


def countersignature(
    case: Case, log: bytes = b"", *, by: tuple[str, str] = ("RegulatorMSP", "officer"), **changes: Any
) -> bytes:
    signer = case.stage.fabric.person(*by)
    head = {"count": log.count(b"\n"), "sha256": hashlib.sha256(log).hexdigest()} if log else None
    stated = {
        "v": 1,
        "mtg": MTG,
        "roll": case.stage.player.scene.meeting.roll.as_json(),
        "source": {"sha256": "cd" * 32, "rows": 3},
        "corrections": head,
        "at": AT,
        **changes,
    }
    signed = jws.sign(TYP, certificates.thumbprint(der(signer)), jcs.dumps(stated), signer.key)
    return Countersignature(der(signer), signed).encode()


def own(case: Case) -> str:
    return case.stage.player.scene.lenders["bo"].sub


def with_files(case: Case, *data: bytes) -> bytes:
    return case.signed({**case.files, **dict(zip(NAMES, data, strict=False))})


def test_a_countersigned_roll_with_the_lenders_corrections(case: Case) -> None:
    log = corrections((own(case), "claim_yuan"), (own(case), "excluded"))
    verified = verify_evidence(with_files(case, countersignature(case, log), log), case.trust)
    assert as_json(verified)["countersigned"] == {"at": AT, "corrections": 2, "attached": 2}
    assert "roll countersigned" in as_text(verified)
    alone = verify_evidence(with_files(case, countersignature(case, log)), case.trust)
    assert as_json(alone)["countersigned"] == {"at": AT, "corrections": 2, "attached": 0}
    assert as_json(verify_evidence(case.package, case.trust))["countersigned"] is None


def refused(case: Case, *data: bytes) -> str:
    with pytest.raises(EvidenceRefused) as caught:
        verify_evidence(with_files(case, *data), case.trust)
    assert caught.value.code == "EVIDENCE_PROVENANCE"
    return caught.value.detail


@pytest.mark.parametrize("column", ["name", "document", "phone", "email"])
def test_personal_data_is_refused(case: Case, column: str) -> None:
    log = corrections((own(case), column))
    assert "personal data" in refused(case, countersignature(case, log), log)


def test_other_lenders_corrections_are_refused(case: Case) -> None:
    log = corrections((case.stage.player.scene.lenders["an"].sub, "claim_yuan"))
    assert "another lender" in refused(case, countersignature(case, log), log)


def test_nothing_hides_behind_the_last_line(case: Case) -> None:
    """What isn't a line isn't looked at, so that it could be of anybody."""
    log = corrections((own(case), "claim_yuan")) + b'{"sub":"of another lender"}'
    assert "end with a line" in refused(case, countersignature(case, log), log)


def test_another_log_than_the_countersigned_one(case: Case) -> None:
    log = corrections((own(case), "claim_yuan"))
    assert "not those" in refused(case, countersignature(case), log)
    assert "not those" in refused(case, countersignature(case, log), log.replace(b"120.00", b"190.00"))
    broken = log + log  # the second does not follow the first
    assert "follow" in refused(case, countersignature(case, broken), broken)


def test_another_roll_signer_or_signature(case: Case) -> None:
    assert "another roll" in refused(case, countersignature(case, mtg="another"))
    assert "another roll" in refused(case, countersignature(case, roll={}))
    assert "role" in refused(case, countersignature(case, by=("RegulatorMSP", "auditor")))
    assert "signer" in refused(case, countersignature(case, by=("AssociationMSP", "officer")))
    assert "version" in refused(case, countersignature(case, v=True))
    one_head = case.stage.player.scene.meeting.roll.as_json() | {"cap_height": False}
    assert "another roll" in refused(case, countersignature(case, roll=one_head))
    good = countersignature(case)
    value = jcs.loads(good)
    assert "no countersignature" in refused(case, jcs.dumps({**value, "v": True}))
    head, payload, signature = value["jws"].split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert "signature" in refused(case, jcs.dumps({**value, "jws": f"{head}.{payload}.{flipped}"}))
    assert "no countersignature" in refused(case, b"{}")


def test_corrections_need_the_countersignature(case: Case) -> None:
    files = {**case.files, NAMES[1]: corrections((own(case), "claim_yuan"))}
    with pytest.raises(EvidenceRefused, match="EVIDENCE_PROVENANCE"):
        verify_evidence(case.signed(files), case.trust)


def test_an_export_attaches_them(case: Case) -> None:
    log = corrections((own(case), "claim_yuan"))
    signature = countersignature(case, log)
    package = case.exporter.export(MTG, case.digest, now=NOW, provenance=[log, signature])
    files = decode(package)
    assert (files[NAMES[0]], files[NAMES[1]]) == (signature, log)


@pytest.mark.parametrize("kind", [0, 1])
def test_an_export_refuses_two_of_a_kind(case: Case, kind: int) -> None:
    log = corrections((own(case), "claim_yuan"))
    twice = [(countersignature(case, log), log)[kind]] * 2
    with pytest.raises(EvidenceRefused, match="EVIDENCE_PROVENANCE"):
        case.exporter.export(MTG, case.digest, now=NOW, provenance=twice)
