"""Tampering with evidence packages: a bit of the file, and a file of it under a manifest that fits again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evidence.container import decode, encode
from auditor.evidence.files import PROVED
from auditor.evidence.manifest import NAME, sign_manifest
from auditor.evidence.verify import verify_evidence
from tests.tampering.case import Case, flipped
from tests.tampering.files import code_of, judged
from tests.unit.auditor.evidence.case import exporter_of
from tests.unit.auditor.log.stage import NOW
from tests.unit.auditor.meeting_player import MTG

if TYPE_CHECKING:
    import random

    from tests.unit.auditor.log.stage import LogStage

SEALED = r"EVIDENCE_(CONTAINER|MANIFEST|SIGNER|ROLE|SIGNATURE|FILES|FILE)"
# By file: what may refuse a bit of it that the auditor itself signed. Blocks have a map of their own.
RESIGNED = {
    "ballot.jws": r"EVIDENCE_(BALLOT|FORMAT|MEETING|SESSION)",
    "log/head.json": r"EVIDENCE_(LOG|FORMAT)",
    "log/proof.json": r"EVIDENCE_(LOG|FORMAT)",
    "roll/leaf.json": r"EVIDENCE_(LEAF|FORMAT)",
    "roll/proof.json": r"EVIDENCE_(LEAF|FORMAT)",
    "roll/provenance.json": r"EVIDENCE_CUSTODY",
    "": r"EVIDENCE_RECORD",
}


class Packages:
    """The evidence of one ballot of a closed meeting."""

    def __init__(self, stage: LogStage) -> None:
        self._stage = stage
        self._package = exporter_of(stage).export(MTG, stage.ballot("bo").digest, now=NOW)
        self._files = decode(self._package)
        self._subject = verify_evidence(self._package, stage.trust).manifest.subject
        self._names = sorted(
            name
            for name in self._files
            if name in PROVED or name.startswith(("certificates/", "identity/", "meeting/", "roll/"))
        )

    def tamper(self, draw: random.Random) -> Case:
        if draw.randrange(2):
            data, place = flipped(self._package, draw)
            code = code_of(lambda: verify_evidence(data, self._stage.trust))
            return judged("evidence", place, SEALED, code)
        name = draw.choice([*self._names, "ballot.jws"])
        changed, place = flipped(self._files[name], draw)
        rest = {one: data for one, data in sorted(self._files.items()) if one != NAME} | {name: changed}
        package = encode({NAME: sign_manifest(self._subject, rest, self._stage.signer), **rest})
        code = code_of(lambda: verify_evidence(package, self._stage.trust))
        return judged("evidence", f"{name} signed again, {place}", RESIGNED.get(name, RESIGNED[""]), code)
