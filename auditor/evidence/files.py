"""The files that repeat, for people, what the blocks hold: written at export, compared byte by byte later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evidence.chain import is_block
from auditor.evidence.disputes import records_json
from auditor.evidence.errors import EvidenceRefused
from auditor.evidence.provenance import CORRECTIONS, COUNTERSIGNATURE
from auditor.evidence.records import provenance
from auditor.log.promise import hash_list
from auditor.replay.authority import Offices
from auditor.replay.people import standard_base64
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_first
from client.encodings.leaf import parse_leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.evidence.counted import OnRoll
    from auditor.evidence.manifest import Manifest
    from auditor.evidence.records import Held
    from auditor.replay.people import Enrolment

FREE = frozenset({"manifest.json", "explanation.pdf", "ballot.jws", "custody.json"})
"""Files of which only the hash in the manifest is due, or which have checks of their own."""
ATTACHED = frozenset({COUNTERSIGNATURE, CORRECTIONS})
PROVED = frozenset({"log/head.json", "log/proof.json"})
ANCHORS = "log/anchors.json"
ON_ROLL = frozenset({"roll/leaf.json", "roll/proof.json"})
"""Both are there, or neither: an amendment has the lender's entry."""


def repeated(held: Held) -> dict[str, bytes]:
    """Return the files that follow from the records."""
    files = {
        "certificates/lender.der": standard_base64(_relied_on(held).certificate),
        "certificates/lender-ca.der": standard_base64(held.issuer.certificate),
        "identity/enrolments.json": jcs.dumps([jcs.loads(one.encode()) for one in held.enrolments]),
        "identity/issuer.json": held.issuer.encode(),
        "identity/session.json": held.session.encode(),
        "meeting/record.json": held.meeting.record,
        "roll/provenance.json": jcs.dumps(provenance(held)),
    }
    if held.result:
        files["meeting/result.json"] = held.result
    if held.amendments:
        files["roll/amendments.json"] = jcs.dumps([jcs.loads(one.record) for one in held.amendments])
    if held.disputes:
        files["disputes/records.json"] = jcs.dumps(records_json(held.disputes))
    if held.mandates:
        given = [jcs.loads(one.record.encode()) for one in held.mandates]
        files["mandate/records.json"] = jcs.dumps(given)
        files["mandate/principal.json"] = jcs.dumps([jcs.loads(one.encode()) for one in held.voter])
    return files


def _relied_on(held: Held) -> Enrolment:
    """Return the enrolment with the key that was checked, which may have been revoked or replaced since."""
    keys = [one for one in held.enrolments if one.x5t == held.session.x5t]
    if not keys:
        raise EvidenceRefused("EVIDENCE_SESSION", "the identity check is of a key that was never enrolled")
    return keys[0]


def verify_files(files: Mapping[str, bytes], manifest: Manifest, held: Held) -> OnRoll | None:
    """Return the roll entry if there is one, after comparing what repeats the blocks.

    Refuse with EVIDENCE_FILES, EVIDENCE_RECORD, EVIDENCE_CUSTODY, EVIDENCE_FORMAT or EVIDENCE_LEAF.
    """
    due = repeated(held)
    proved = PROVED | (ON_ROLL if ON_ROLL & files.keys() else frozenset())
    if held.anchors:
        proved |= {ANCHORS}
    for name in sorted(FREE | proved | due.keys()):
        if name not in files:
            raise EvidenceRefused("EVIDENCE_FILES", f"{name} is missing")
    for name in files:
        if name not in FREE | proved | ATTACHED and name not in due and not is_block(name):
            raise EvidenceRefused("EVIDENCE_FILES", f"{name} is no file of a package")
    for name, data in due.items():
        if files[name] != data:
            code = "EVIDENCE_CUSTODY" if name == "roll/provenance.json" else "EVIDENCE_RECORD"
            raise EvidenceRefused(code, f"{name} is not what the blocks hold")
    _verify_custody(files["custody.json"], manifest)
    if not proved >= ON_ROLL:
        return None
    index, path = _parse_proof(files["roll/proof.json"])
    try:
        return parse_leaf(files["roll/leaf.json"]), index, path
    except Refused as error:
        raise EvidenceRefused("EVIDENCE_LEAF", f"roll/leaf.json: {error}") from error


def custody(at: str, heights: Mapping[str, int], by: str) -> bytes:
    """Return the custody log of a package that was just exported."""
    exported = {"action": "exported", "at": at, "by": by, "heights": dict(heights)}
    return jcs.dumps({"v": 1, "entries": [exported]})


def _verify_custody(data: bytes, manifest: Manifest) -> None:
    due = custody(manifest.subject.time, manifest.subject.heights, Offices().regulator)
    if data != due:
        raise EvidenceRefused("EVIDENCE_CUSTODY", "custody.json tells of another export than the manifest")


def _parse_proof(data: bytes) -> tuple[int, tuple[bytes, ...]]:
    try:
        value: Any = jcs.loads_canonical(data)
        if not isinstance(value, dict) or value.keys() != {"v", "index", "path"} or not is_first(value["v"]):
            raise ValueError("other members than v, index, path")  # noqa: TRY301  one error for every wrong form
        if not is_count(value["index"]):
            raise ValueError("index")  # noqa: TRY301  one error for every wrong form
        return value["index"], hash_list(value["path"])
    except ValueError as error:
        raise EvidenceRefused("EVIDENCE_FORMAT", f"roll/proof.json: {error}") from error
