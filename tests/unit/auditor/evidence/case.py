"""A played meeting's evidence package, and packages signed again after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auditor.evidence.collect import Exporter
from auditor.evidence.container import decode, encode
from auditor.evidence.manifest import NAME, sign_manifest
from auditor.evidence.verify import verify_evidence
from auditor.replay.authority import Offices
from auditor.run import Roots
from tests.unit.auditor.log.stage import NOW, LogStage
from tests.unit.auditor.meeting_player import MTG
from tests.unit.auditor.test_run import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.evidence.manifest import Subject
    from auditor.log.head import HeadSigner
    from auditor.log.service_db import ServiceDatabase
    from auditor.log.trust import TrustRoot
    from tests.unit.auditor.builder import Network


@dataclass(frozen=True)
class Case:
    stage: LogStage
    exporter: Exporter
    trust: TrustRoot
    digest: str
    package: bytes
    subject: Subject

    @property
    def files(self) -> dict[str, bytes]:
        return decode(self.package)

    def signed(self, files: Mapping[str, bytes], signer: HeadSigner | None = None, **changes: Any) -> bytes:
        """A package of other files (or of another subject), with a manifest that fits them."""
        rest = {name: data for name, data in sorted(files.items()) if name != NAME}
        subject = replace(self.subject, **changes)
        return encode({NAME: sign_manifest(subject, rest, signer or self.exporter.signer), **rest})


def make_case(fabric: Network, database: ServiceDatabase) -> Case:
    stage = LogStage(fabric, database)
    stage.player.closed()
    exporter = exporter_of(stage)
    digest = stage.ballot("bo").digest
    package = exporter.export(MTG, digest, now=NOW)
    subject = verify_evidence(package, stage.trust).manifest.subject
    return Case(stage, exporter, stage.trust, digest, package, subject)


def exporter_of(stage: LogStage) -> Exporter:
    roots = Roots(stage.player.genesis, Offices())
    peer = Peer(stage.player)
    return Exporter(peer, roots, stage.database, stage.signer, stage.regulator, stage.trust)
