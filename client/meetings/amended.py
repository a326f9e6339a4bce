"""What amendments made of a meeting's roll, for doors that take ballots one after another."""

from __future__ import annotations

import contextlib
import time
from threading import Lock
from typing import TYPE_CHECKING, Final

from client.gateway.errors import GatewayError
from client.meetings.amendments import Amendments, look_up_amendments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from client.encodings.amendment import Amended, Amendment
    from client.platform.chain import Contract

FRESH_SECONDS: Final = 2.0
_NONE: Final = Amendments((), None, {}, {})


class ChannelAmendments:
    """Looks amendments up with `GetAmendments`, at most every `fresh` seconds a meeting. Thread-safe.

    While the peer doesn't answer, what it said last holds, at first nothing: chaincode judges by what the
    channel has, whatever a door knew, so that a peer that is down keeps no lender from voting.
    """

    def __init__(
        self,
        contract: Callable[[str], Contract],
        *,
        fresh: float = FRESH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`contract` gives an institution's chaincode."""
        self._contract = contract
        self._fresh = fresh
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Amendments]] = {}
        self._lock = Lock()

    def amended(self, institution: str, mtg: str) -> Mapping[str, Amended]:
        """Return what amendments made of the lenders whom they name; raise UserError for a wrong answer."""
        return self._look_up(institution, mtg).amended

    def confirmed(self, institution: str, mtg: str) -> tuple[Amendment, ...]:
        """Return the confirmed amendments in order; raise UserError for a wrong answer."""
        return self._look_up(institution, mtg).confirmed

    def _look_up(self, institution: str, mtg: str) -> Amendments:
        with self._lock:
            asked, there = self._known.get((institution, mtg), (None, _NONE))
            if asked is not None and self._clock() - asked < self._fresh:
                return there
            with contextlib.suppress(GatewayError):
                there = look_up_amendments(self._contract(institution), mtg)
            self._known[institution, mtg] = (self._clock(), there)
            return there
