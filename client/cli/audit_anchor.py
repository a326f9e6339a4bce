"""What `concordat audit anchor` does: audit, report, head, and the transaction that anchors them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from auditor.reporting.write import write_reports
from auditor.run import run_audit
from auditor.source import OwnPeer
from client.cli.audit_identity import auditor_identity
from client.encodings import base64url
from client.encodings.anchor import Anchor
from client.platform.chain import commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.log.head import SignedHead

_PATIENCE = 900


def anchor_audit(
    meeting: str, database: str, report: Path, sign: Callable[[], SignedHead]
) -> tuple[Anchor, str]:
    """Audit a meeting, write and sign report and head, anchor all; return anchor and transaction.

    Raises as `run_audit` and `sign` do, then as the gateway does.
    """
    own = auditor_identity()
    with own.profile.gateway(own.roots.offices.regulator, "auditor") as gateway:
        audit = run_audit(OwnPeer(gateway), own.roots, meeting, database, patience=_PATIENCE)
        machine, *_ = write_reports(audit, report, own.signer)
        signed = sign()
        anchor = Anchor(
            mtg=meeting,
            size=signed.head.size,
            root=base64url.encode(signed.head.root),
            report=hashlib.sha256(machine.read_bytes()).hexdigest(),
            result=audit.result,
            verdict=audit.verdict,
            head=signed.compact,
        )
        contract = gateway.network(signed.head.channel).contract("arbitration")
        return anchor, commit(contract, "AnchorAudit", anchor.encode()).tx
