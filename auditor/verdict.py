"""The verdict: only the verifier makes one, and only a verified meeting is shown as final."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.withhold import withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.alarm import Alarm
    from auditor.discrepancy import Discrepancy
    from auditor.snapshot import Snapshot
    from auditor.turnout import Turnout
    from auditor.view import ChainAnchor
    from client.encodings.objection_record import Dispute

CONSISTENT = "consistent"
INCONSISTENT = "inconsistent"


class _Seal:
    """What only the verifier holds: without it no verified value can be made by accident."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class VerifiedMeeting:
    """A meeting whose chain passed every step and whose platform rows agree with it.

    Made by `verified` alone. `tally` and `outcome` are None until the meeting is closed.
    """

    mtg: str
    tally: Mapping[str, Any] | None
    outcome: Mapping[str, Any] | None
    seal: _Seal

    def __post_init__(self) -> None:
        """Refuse to exist without the verifier's seal."""
        if self.seal is not _SEAL:
            raise TypeError("only the verifier makes a VerifiedMeeting")


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything one audit established; `meeting` is there only where nothing was found.

    `blocks` is each channel's height, `heads` the hash (hex) of its last verified block;
    `counted` how many ballots stand; `numbers` further counts by name; `seconds` wall time,
    `seconds_reconcile` the part of it in which rows were compared; `alarms` what ran on the channels and is
    not audited, which does not touch the verdict; `genesis` the channels' pinned hashes (hex), `mh` the
    meeting's; `anchors` the audits that were anchored, `disputes` the
    objections with answers and awards; `result` the SHA-256 (hex) of the result that the auditor computed,
    empty before there is one.
    """

    mtg: str
    meeting: VerifiedMeeting | None
    state: str
    blocks: Mapping[str, int]
    heads: Mapping[str, str]
    counted: int
    numbers: Mapping[str, int]
    tally: Mapping[str, Any] | None
    outcome: Mapping[str, Any] | None
    discrepancies: tuple[Discrepancy, ...]
    pending: int
    snapshot: Snapshot | None
    seconds: float
    alarms: tuple[Alarm, ...] = ()
    seconds_reconcile: float = 0.0
    mh: str = ""
    genesis: Mapping[str, str] = field(default_factory=dict)
    turnout: Turnout | None = None
    anchors: tuple[ChainAnchor, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    result: str = ""

    @property
    def shown(self) -> tuple[Discrepancy, ...]:
        """The discrepancies as anybody may see them: until the meeting is closed without choices."""
        return withheld(self.discrepancies) if self.tally is None else self.discrepancies

    @property
    def verdict(self) -> str:
        """`consistent`, or `inconsistent`."""
        return CONSISTENT if self.meeting is not None else INCONSISTENT

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable report."""
        return {
            "verdict": self.verdict,
            "meeting": self.mtg,
            "state": self.state,
            "blocks": dict(self.blocks),
            "heads": dict(self.heads),
            "ballots": self.counted,
            "numbers": dict(self.numbers),
            "tally": self.tally,
            "outcome": self.outcome,
            "discrepancies": [one.as_json() for one in self.shown],
            "alarms": [one.as_json() for one in self.alarms],
            "anchors": [one.as_json() for one in self.anchors],
            "objections": [one.as_json() for one in self.disputes],
            "pending": self.pending,
            "snapshot": self.snapshot.as_json() if self.snapshot else None,
            "seconds": round(self.seconds, 3),
        }


def verified(
    mtg: str,
    tally: Mapping[str, Any] | None,
    outcome: Mapping[str, Any] | None,
    discrepancies: tuple[Discrepancy, ...],
) -> VerifiedMeeting | None:
    """Return the verified meeting, None where anything at all was found."""
    return None if discrepancies else VerifiedMeeting(mtg, tally, outcome, _SEAL)
