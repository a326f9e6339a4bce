"""What somebody has to be told: one event each, with where and what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.withhold import told

if TYPE_CHECKING:
    from auditor.alarm import Alarm
    from auditor.errors import VerificationError

UNVERIFIED: Final = "unverified"  # a step refused a block or transaction of the own peer
FORK: Final = "fork"  # one height, two hashes
CODES: Final = "codes"  # another organisation's peer gave a transaction another validation code
DISCREPANCY: Final = "discrepancy"  # a row of the platform says otherwise than the chain
PEER: Final = "peer"  # a peer or head to compare with could not be read
RECONCILIATION: Final = "reconciliation"  # a full reconciliation could not be carried out
KINDS: Final = (UNVERIFIED, FORK, CODES, DISCREPANCY, PEER, RECONCILIATION)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event. `ballot` is a digest where it is about one; `passing` says that it may mend itself.

    What passes is told again whenever it comes back; anything else once. `withheld` is the text without what
    must stay unknown for a time: the name is made of it, so that it neither changes nor tells anything later.
    """

    kind: str
    channel: str
    where: str
    text: str
    ballot: str = ""
    passing: bool = False
    withheld: str = ""

    @property
    def key(self) -> str:
        """The event's name: the same one for the same event, also after a restart."""
        values = f"{self.kind}\n{self.channel}\n{self.where}\n{self.withheld or self.text}\n{self.ballot}"
        return hashlib.sha256(values.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that a webhook gets, but for the time."""
        return {
            "v": 1,
            "id": self.key,
            "kind": self.kind,
            "channel": self.channel,
            "where": self.where,
            "text": self.text,
            "ballot": self.ballot,
        }


def of_finding(channel: str, error: VerificationError, *, closed: bool) -> Announcement:
    """Return what to tell of a step that refused; `closed` says that its meeting has a result."""
    withheld = told(error, closed=False)
    return Announcement(
        UNVERIFIED, channel, error.where, told(error, closed=closed), error.ballot, withheld=withheld
    )


def of_alarm(alarm: Alarm) -> Announcement:
    """Return what to tell of something that runs on a channel and is not audited."""
    return Announcement(alarm.kind, alarm.channel, alarm.where, alarm.subject)
