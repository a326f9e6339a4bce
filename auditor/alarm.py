"""Alarms: what runs on an audited channel and is not audited. No discrepancy, but somebody has to look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

# A valid transaction of a chaincode that this verifier does not replay.
FOREIGN_TRANSACTION = "foreign-transaction"
# A chaincode that this verifier does not replay was defined on the channel.
FOREIGN_DEFINITION = "foreign-definition"
# A transaction of another meeting on the channel failed a step; it touched no record of the audited one.
OTHER_MEETING = "other-meeting"


@dataclass(frozen=True, order=True, slots=True)
class Alarm:
    """One kind of event about one subject (a chaincode or a meeting): where it came first, and how often."""

    kind: str
    channel: str
    subject: str
    where: str
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the JSON member of the report."""
        return {
            "kind": self.kind,
            "channel": self.channel,
            "subject": self.subject,
            "where": self.where,
            "count": self.count,
        }


@dataclass(slots=True)
class Alarms:
    """Collects alarms: one a kind and subject, however often it comes, so that memory stays small."""

    channel: str
    _raised: dict[tuple[str, str], Alarm] = field(default_factory=dict)

    def add(self, kind: str, subject: str, where: str) -> None:
        """Count an event; the first of its kind about its subject raises a new alarm."""
        known = self._raised.get((kind, subject))
        self._raised[kind, subject] = (
            Alarm(kind, self.channel, subject, where)
            if known is None
            else replace(known, count=known.count + 1)
        )

    def raised(self) -> tuple[Alarm, ...]:
        """Return them in the order in which they were raised."""
        return tuple(self._raised.values())
