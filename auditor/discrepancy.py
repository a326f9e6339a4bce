"""What an audit finds: one disagreement each, with both sides' values and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.errors import VerificationError

# Kinds of reconciliation (the chain against the platform's rows).
MISSING = "missing"  # on the chain, not in the database
EXTRA = "extra"  # the database says committed, the chain does not hold it
ALTERED = "altered"  # both hold it, a field differs
DUPLICATED = "duplicated"  # two rows stand for one ballot
MISCOUNTED = "miscounted"  # the database's result is not the one that the ballots give
LATE = "late"  # acknowledged in time, never brought to the chain before the meeting closed
PENDING = "pending"  # still on its way past its deadline
WITHOUT_SESSION = "without session"  # a ballot whose identity check one of the two sides does not know
RECEIPT_WITHOUT_BALLOT = "receipt without ballot"  # a door signed for a ballot that the chain lacks
# Kind of verification: a numbered step refused.
UNVERIFIED = "unverified"


@dataclass(frozen=True, order=True, slots=True)
class Discrepancy:
    """One finding. `chain` and `platform` are the two values, `where` the place of each.

    For kind `unverified`, `field` is the step, `chain` what was found there and `detail` what was
    expected; `platform` is empty, since the platform's database plays no part.
    """

    kind: str
    ballot: str
    field: str
    chain: str
    platform: str
    where: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the JSON member of the report."""
        return {
            "kind": self.kind,
            "ballot": self.ballot,
            "field": self.field,
            "chain": self.chain,
            "platform": self.platform,
            "where": self.where,
            "detail": self.detail,
        }


def from_error(error: VerificationError) -> Discrepancy:
    """Turn a refusing step into a finding."""
    expected = "" if error.expected is None else f"; expected {error.expected}"
    found = "" if error.found is None else str(error.found)
    return Discrepancy(
        UNVERIFIED, error.ballot, f"step {error.step}", found, "", error.where, f"{error.reason}{expected}"
    )
