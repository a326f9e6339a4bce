"""The identity service's approvals, as the enrolment of lenders asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.terms.binding import Lender

if TYPE_CHECKING:
    from biometrics.service.outcomes import Approval, Outcomes
    from client.enrolment.approvals import Approved


class ServiceApprovals:
    """Approvals of the identity service on this host: each a check that a lender passed for one new key."""

    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes

    def approval(self, institution: str, sub: str, key: str, /) -> Approval | None:
        """Return the standing approval of the key with this thumbprint, None where there is none."""
        return self._outcomes.approval(Lender(institution, sub), key)

    def taken(self, approved: Approved, /) -> None:
        """Have the service forget the evidence, which the enrolment has sealed."""
        self._outcomes.approval_taken(approved.ses)
