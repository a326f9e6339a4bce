"""Packages that verify, and why others don't: one bit of each file, forgeries signed by the auditor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from auditor.evidence.container import encode
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.files import custody
from auditor.evidence.manifest import verify_still_signer
from auditor.evidence.verify import verify_evidence
from auditor.log.head import HeadSigner
from auditor.log.trust import TrustRoot
from client.encodings import jcs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.auditor.evidence.case import Case


def refused(package: bytes, trust: TrustRoot) -> EvidenceRefused:
    with pytest.raises(EvidenceRefused) as caught:
        verify_evidence(package, trust)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_package_proves_its_ballot(case: Case) -> None:
    verified = verify_evidence(case.package, case.trust)
    assert verified.ballot.digest == case.digest
    assert dict(verified.ballot.ballot.votes)["m2"] == "reject"
    assert verified.head.head.size == 2
    assert verified.manifest.subject.state == "closed"
    assert verified.manifest.subject.stands
    assert verified.held.result


def test_every_file_that_the_format_has_is_there(case: Case) -> None:
    names = list(case.files)
    assert names[0] == "manifest.json"
    assert names[1:] == sorted(names[1:])
    assert {"meeting/result.json", "roll/leaf.json", "log/head.json", "custody.json"} <= set(names)
    assert sum(name.startswith("blocks/identity/") for name in names) == 5


def test_one_bit_of_each_file_is_found_and_the_file_named(case: Case) -> None:
    for name, data in case.files.items():
        for place in (0, len(data) // 2, len(data) - 1):
            changed = bytearray(data)
            changed[place] ^= 1
            error = refused(encode({**case.files, name: bytes(changed)}), case.trust)
            if name == "manifest.json":
                assert error.code in {"EVIDENCE_MANIFEST", "EVIDENCE_SIGNER", "EVIDENCE_SIGNATURE"}
            else:
                assert (error.code, name in str(error)) == ("EVIDENCE_FILE", True)


EXPECTED = {
    "ballot.jws": {"EVIDENCE_BALLOT", "EVIDENCE_MEETING"},
    "custody.json": {"EVIDENCE_CUSTODY"},
    "roll/leaf.json": {"EVIDENCE_LEAF"},
    "roll/proof.json": {"EVIDENCE_LEAF", "EVIDENCE_FORMAT"},
    "roll/provenance.json": {"EVIDENCE_CUSTODY"},
    "log/head.json": {"EVIDENCE_LOG"},
    "log/proof.json": {"EVIDENCE_LOG", "EVIDENCE_FORMAT"},
}
CHAIN = {
    "EVIDENCE_BLOCK",
    "EVIDENCE_GENESIS",
    "EVIDENCE_CONFIGURATION",
    "EVIDENCE_TRANSACTION",
    "EVIDENCE_RECORD",
}


def test_even_the_auditor_cannot_sign_a_changed_file(case: Case) -> None:
    """The manifest is made to fit: what the chain, the log and the lender signed still speaks."""
    for name, data in case.files.items():
        if name in ("manifest.json", "explanation.pdf") or name.startswith("blocks/"):
            continue
        changed = bytearray(data)
        changed[len(data) // 2] ^= 1
        error = refused(case.signed({**case.files, name: bytes(changed)}), case.trust)
        assert error.code in EXPECTED.get(name, {"EVIDENCE_RECORD"}), (name, str(error))


def test_even_the_auditor_cannot_sign_a_changed_block(case: Case) -> None:
    for name, data in case.files.items():
        if name.startswith("blocks/"):
            changed = bytearray(data)
            changed[len(data) // 2] ^= 1  # within the transactions
            error = refused(case.signed({**case.files, name: bytes(changed)}), case.trust)
            assert error.code in CHAIN, (name, str(error))
            assert name in str(error)


def test_without_a_block_the_proof_has_a_hole(case: Case) -> None:
    """Only steps in between may be left out by whoever signs: an issuer's proposal, an opening, a closing."""
    unnoticed = set()
    for name in [name for name in case.files if name.startswith("blocks/")]:
        files = {one: data for one, data in case.files.items() if one != name}
        try:
            verify_evidence(case.signed(files), case.trust)
        except EvidenceRefused:
            continue
        unnoticed.add(name)
    channel = "blocks/arbitration-institutiona/000000000"
    assert unnoticed == {"blocks/identity/0000000001.pb", f"{channel}4.pb", f"{channel}7.pb"}


def test_files_are_neither_missing_nor_extra(case: Case) -> None:
    files = case.files
    extra = {"manifest.json": files["manifest.json"], **dict(sorted({**files, "zz.json": b"{}"}.items()))}
    assert refused(encode(extra), case.trust).code == "EVIDENCE_FILES"
    for name in ("zz.json", "blocks/note.pdf", "blocks/identity/verdict.pb"):  # among the blocks and none
        assert refused(case.signed({**files, name: b"{}"}), case.trust).code == "EVIDENCE_FILES"
    for name in files:
        if name == "manifest.json":
            continue
        without = {one: data for one, data in files.items() if one != name}
        assert refused(encode(without), case.trust).code == "EVIDENCE_FILES"


@pytest.mark.parametrize(
    ("signer", "code"),
    [(("RegulatorMSP", "officer"), "EVIDENCE_ROLE"), (("AssociationMSP", "auditor"), "EVIDENCE_SIGNER")],
)
def test_only_the_regulators_auditor_signs(case: Case, signer: tuple[str, str], code: str) -> None:
    assert refused(case.signed(case.files, case.stage.signer_of(*signer)), case.trust).code == code


def test_a_signers_certificate_of_no_version(case: Case) -> None:
    good = case.exporter.signer
    own, root = good.certificates
    version = b"\xa0\x03\x02\x01"  # explicit tag 0 and an integer, RFC 5280
    changed = own.replace(version + b"\x02", version + b"\x09", 1)
    assert changed != own
    signer = HeadSigner(good.key, (changed, root))
    assert refused(case.signed(case.files, signer), case.trust).code == "EVIDENCE_SIGNER"


def test_a_signer_whom_the_channel_has_revoked_or_never_had(case: Case) -> None:
    """The trust file knows the Regulator's CA alone; the channel's configuration says who is revoked."""
    held = verify_evidence(case.package, case.trust).held
    regulator = held.channel.members.organisations["RegulatorMSP"]
    verify_still_signer(case.files, regulator)
    own = x509.load_der_x509_certificate(case.exporter.signer.certificates[0])
    revoked = replace(regulator, revoked=frozenset({(own.issuer, own.serial_number)}))
    for other in (revoked, replace(regulator, roots=()), replace(regulator, roots=(own,))):
        with pytest.raises(EvidenceRefused, match="EVIDENCE_SIGNER"):
            verify_still_signer(case.files, other)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "certified"}, "EVIDENCE_MEETING"),
        ({"mh": "A" * 43}, "EVIDENCE_MEETING"),
        ({"digest": "A" * 43}, "EVIDENCE_MEETING"),
        ({"time": "2026-01-01T00:00:00Z"}, "EVIDENCE_CUSTODY"),
        ({"channel": "arbitration-institutionb"}, "EVIDENCE_MEETING"),
    ],
)
def test_what_the_manifest_is_about_is_what_the_files_are(
    case: Case, changes: dict[str, Any], code: str
) -> None:
    assert refused(case.signed(case.files, **changes), case.trust).code == code


@pytest.mark.parametrize(
    "changes", [{"identity": 4}, {"arbitration-institutiona": 9}, {"moon": 1}, {"identity": None}]
)
def test_heights_are_of_the_blocks_channels_and_above_them(
    case: Case, changes: dict[str, int | None]
) -> None:
    """The custody log is made to fit: no auditor has read blocks above the height that it exported from."""
    wanted = {name: value for name, value in {**case.subject.heights, **changes}.items() if value is not None}
    files = {**case.files, "custody.json": custody(case.subject.time, wanted, "RegulatorMSP")}
    assert refused(case.signed(files, heights=wanted), case.trust).code == "EVIDENCE_CUSTODY"


def test_a_head_of_a_block_before_the_ballots(case: Case) -> None:
    """The same log's root under an earlier block: the auditor can't have found there what came later."""
    head = verify_evidence(case.package, case.trust).head.head
    number = 4
    block = verify_evidence(case.package, case.trust).held.channel.headers[number]
    early = replace(head, block=number, block_hash=block.hash().hex())
    files = {**case.files, "log/head.json": case.stage.signer.sign(early).encode()}
    error = refused(case.signed(files), case.trust)
    assert (error.code, "up to block 4" in str(error)) == ("EVIDENCE_LOG", True)


@pytest.mark.parametrize("channel", ["identity", "arbitration-institutiona"])
def test_another_network_is_not_trusted(case: Case, channel: str) -> None:
    trust = TrustRoot({**case.trust.genesis, channel: "00" * 32}, case.trust.regulator_ca)
    assert refused(case.package, trust).code == "EVIDENCE_GENESIS"
    without = TrustRoot(
        {n: h for n, h in case.trust.genesis.items() if n != channel}, case.trust.regulator_ca
    )
    assert refused(case.package, without).code == "EVIDENCE_GENESIS"


def test_another_regulator_is_not_trusted(case: Case) -> None:
    assert (
        refused(case.package, TrustRoot(case.trust.genesis, frozenset({"00" * 32}))).code == "EVIDENCE_SIGNER"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda result: result["motions"]["m1"].update(passed=not result["motions"]["m1"]["passed"]),
        lambda result: result["motions"]["m1"]["choices"]["approve"].update({"*": [99, 99]}),
        lambda result: result.update(mtg="another"),
        lambda result: result.update(v=True),
        lambda result: result["motions"]["m1"].update(passed=int(result["motions"]["m1"]["passed"])),
        lambda result: result["motions"].pop("m1"),
        lambda result: result["motions"]["m1"].update(disputed={"passed": True, "tipped": False}),
    ],
)
def test_a_result_that_the_rules_do_not_make(case: Case, change: Callable[[Any], None]) -> None:
    from auditor.evidence.result import verify_result  # noqa: PLC0415

    held = verify_evidence(case.package, case.trust).held
    verify_result(held)
    result = jcs.loads(held.result)
    change(result)
    with pytest.raises(EvidenceRefused, match="EVIDENCE_RESULT"):
        verify_result(replace(held, result=jcs.dumps(result)))
