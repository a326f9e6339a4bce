"""What the ledger says of a meeting, as far as identity checks and the end of their evidence need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from biometrics.terms.errors import ServiceRefused

RUNNING: Final = ("announced", "open")
ENDED: Final = ("certified", "void")


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """A meeting's state on its channel, and the end of its period for objections (seconds since 1970)."""

    state: str
    objections_until: int

    def require_running(self) -> None:
        """Raise ServiceRefused (MEETING_NOT_RUNNING) unless it is announced or open."""
        if self.state not in RUNNING:
            raise ServiceRefused("MEETING_NOT_RUNNING", self.state)

    def require_settled(self, now: int) -> None:
        """Raise ServiceRefused (MEETING_NOT_SETTLED) until it is certified and objections are over."""
        if self.state not in ENDED or now <= self.objections_until:
            raise ServiceRefused("MEETING_NOT_SETTLED", self.state)


class Meetings(Protocol):
    """The meetings of institutions, as their channels have them now."""

    def meeting(self, institution: str, mtg: str) -> MeetingFacts:
        """Return it; raises ServiceRefused (MEETING_NOT_FOUND, LEDGER_UNAVAILABLE)."""
        ...
