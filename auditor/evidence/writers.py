"""Which functions of the chaincodes write which records, and which records are written once.

A whole audit replays every function. A package has too few blocks for that, so that a record written by a
function that never writes its like, or written again, has to show by itself.
"""

from __future__ import annotations

from typing import Final

from auditor.evidence.errors import EvidenceRefused

WRITERS: Final = {
    "issuer": ("ProposeIssuer", "ConfirmIssuer"),
    "enrolment": ("Enrol", "Revoke"),
    "session": ("RecordSessions",),
    "meeting": ("ProposeMeeting",),
    "cap": ("ProposeMeeting",),
    "state": ("ProposeMeeting", "ConfirmMeeting", "ConfirmStep"),
    "result": ("ConfirmStep",),
    "audit": ("AnchorAudit",),
    "amendment": ("ProposeAmendment", "ConfirmAmendment"),
    "amendments": ("ConfirmAmendment",),
    "ballot": ("SubmitBallots", "ConfirmAmendment"),
    "mandate": ("RecordMandates", "RevokeMandate"),
    "objection": ("FileObjection",),
    "answer": ("AnswerObjection",),
    "award": ("DecideObjection",),
}
"""By the kind of a record: what its key begins with, after a zero byte."""
ONCE: Final = frozenset(("session", "meeting", "cap", "result", "objection", "answer", "award"))


def verify_writer(key: str, function: str, where: str, *, again: bool) -> None:
    """Refuse a record by a function that doesn't write its kind (EVIDENCE_TRANSACTION), or a second one
    where there is one at most (EVIDENCE_RECORD).
    """  # noqa: D205  one sentence
    kind = key.split("\x00")[1]
    if function not in WRITERS[kind]:
        raise EvidenceRefused("EVIDENCE_TRANSACTION", f"{where}: {function} wrote a record of kind {kind}")
    if again and kind in ONCE:
        raise EvidenceRefused("EVIDENCE_RECORD", f"{where}: a second record of kind {kind}, by {function}")
