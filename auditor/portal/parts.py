"""What the pages are made of, put together once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.portal.challenge import Challenges
from auditor.portal.checked import Desk
from auditor.portal.logged import Logged
from auditor.portal.pace import Pace, Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.log.service_db import ServiceDatabase
    from auditor.log.trust import TrustRoot
    from auditor.portal.address import IpNetwork
    from auditor.portal.door import SecondDoor
    from auditor.portal.objecting import ObjectionDoor
    from auditor.portal.watch import Watcher


def usual_pace() -> Pace:
    """Return the rates of what costs something: 20 at once and one in 3 s for each, 200 and 20/s together."""
    return Pace(Rate(20, 1 / 3), Rate(200, 20))


def reading_pace() -> Pace:
    """Return the rates of requests of any kind: 120 at once and 5/s for each, 1,200 and 100/s together."""
    return Pace(Rate(120, 5), Rate(1200, 100))


@dataclass(frozen=True)
class Parts:
    """The service behind the pages; without a `door` it takes no ballots, without `objecting` no objections.

    `pace` is for what costs something, `reading` for every request; `proxies` are believed about clients.
    """

    watcher: Watcher
    database: ServiceDatabase
    trust: TrustRoot
    door: SecondDoor | None = None
    objecting: ObjectionDoor | None = None
    challenges: Challenges = field(default_factory=Challenges)
    pace: Pace = field(default_factory=usual_pace)
    reading: Pace = field(default_factory=reading_pace)
    proxies: Sequence[IpNetwork] = ()

    @property
    def logged(self) -> Logged:
        """The transparency log as it may be shown."""
        return Logged(self.database)

    @property
    def desk(self) -> Desk:
        """The checks of receipts."""
        return Desk(self.watcher, self.logged, self.trust)
