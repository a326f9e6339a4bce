"""Who may call what, written down a second time (docs/authority.md is the chaincode's)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.errors import ReplayError
from client.encodings.ids import arbitration_channel

if TYPE_CHECKING:
    from auditor.transactions import Endorsed

STEP_AUTHORITY = 14
INSTITUTION = "institution"  # stands for the one that the channel or the record belongs to


@dataclass(frozen=True, slots=True)
class Offices:
    """The organisations that have an office of their own; every other one is an institution."""

    association: str = "AssociationMSP"
    regulator: str = "RegulatorMSP"
    arbitration: str = "ArbitrationMSP"

    def all(self) -> frozenset[str]:
        """Return the MSPs that are no institution."""
        return frozenset((self.association, self.regulator, self.arbitration))


# (chaincode, function) -> the (office or INSTITUTION, role attribute) pairs that may call it.
GRANTS: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("identity", "ProposeIssuer"): ((INSTITUTION, "officer"),),
    ("identity", "ConfirmIssuer"): (("regulator", "officer"),),
    ("identity", "Enrol"): (("association", "verifier"),),
    ("identity", "RecordSessions"): (("association", "verifier"),),
    ("identity", "Revoke"): ((INSTITUTION, "officer"), ("regulator", "officer")),
    ("arbitration", "ProposeMeeting"): ((INSTITUTION, "officer"),),
    ("arbitration", "ConfirmMeeting"): (("regulator", "officer"),),
    ("arbitration", "ProposeStep"): ((INSTITUTION, "officer"), ("association", "officer")),
    ("arbitration", "ConfirmStep"): (("regulator", "officer"),),
    ("arbitration", "ProposeAmendment"): ((INSTITUTION, "officer"),),
    ("arbitration", "ConfirmAmendment"): (("regulator", "officer"),),
    ("arbitration", "SubmitBallots"): (("association", "relay"), ("regulator", "relay")),
    ("arbitration", "RecordMandates"): (("association", "relay"), ("regulator", "relay")),
    ("arbitration", "RevokeMandate"): (("association", "relay"), ("regulator", "relay")),
    ("arbitration", "AnchorAudit"): (("regulator", "auditor"),),
    ("arbitration", "FileObjection"): (("association", "relay"), ("regulator", "relay")),
    ("arbitration", "AnswerObjection"): ((INSTITUTION, "officer"),),
    ("arbitration", "DecideObjection"): (("arbitration", "officer"),),
}


def verify_authority(endorsed: Endorsed, offices: Offices) -> None:
    """Step 14: the creator's organisation and role attribute, together, may call the function.

    Which functions only read is not listed: nothing that changes state is committed through them.
    """
    transaction, creator = endorsed.transaction, endorsed.creator
    grants = GRANTS.get((transaction.chaincode, transaction.function), ())
    role = creator.attributes.get("role", "")
    for office, wanted in grants:
        if role != wanted:
            continue
        if office == INSTITUTION:
            if _is_institution(creator.msp_id, transaction.channel, offices):
                return
        elif creator.msp_id == getattr(offices, office):
            return
    raise ReplayError(
        STEP_AUTHORITY,
        transaction.where,
        f"{transaction.function} was called by somebody who may not",
        expected=" or ".join(f"{office} {role}" for office, role in grants) or "nobody",
        found=f"{creator.msp_id} {role or 'without a role'}",
    )


def _is_institution(msp_id: str, channel: str, offices: Offices) -> bool:
    if msp_id in offices.all():
        return False
    return channel == "identity" or arbitration_channel(msp_id) == channel
