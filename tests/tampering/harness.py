"""Everything that is tampered with, and the lot that decides what and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.log.service_db import ServiceDatabase
from tests.tampering.attacks import Attacker
from tests.tampering.blocks import Blocks
from tests.tampering.case import drawing
from tests.tampering.files import Files
from tests.tampering.forks import Forks
from tests.tampering.packages import Packages
from tests.tampering.rows import Platform, altered, whole
from tests.unit.auditor.log.stage import LogStage
from tests.unit.auditor.meeting_player import Player
from tests.unit.auditor.test_mandates import Proxies, refused

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from tests.tampering.case import Case
    from tests.unit.auditor.builder import Network

WEIGHTS = {"rows": 30, "whole rows": 10, "blocks": 25, "files": 12, "evidence": 6, "forks": 5, "attacks": 12}


class Harness:
    """One network, one closed meeting with ballots of every kind, its database, and what was handed out."""

    def __init__(self, fabric: Network, folder: Path) -> None:
        closed = meeting(fabric)
        self.platform = Platform(closed, folder / "platform.db")
        self.blocks = Blocks(closed)
        self._database = ServiceDatabase.open(f"sqlite:///{folder / 'audit.db'}")
        stage = LogStage(fabric, self._database)
        forks = Forks(stage)
        files = Files(stage, folder)
        packages = Packages(stage)
        opened = Player(fabric, revote="last").enrolled(sessions=2).opened()
        attacker = Attacker(opened.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})]))
        self._tamper: dict[str, Callable[[random.Random], Case]] = {
            "rows": lambda draw: altered(self.platform, draw),
            "whole rows": lambda draw: whole(self.platform, draw),
            "blocks": self.blocks.flip,
            "files": files.tamper,
            "evidence": packages.tamper,
            "forks": forks.fork,
            "attacks": attacker.attack,
        }

    def close(self) -> None:
        self.platform.close()
        self._database.close()

    def case(self, seed: int, surface: str = "") -> Case:
        """Tamper as the seed decides, and take it back."""
        draw = drawing(seed)
        chosen = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        return self._tamper[surface or chosen](draw)


def meeting(fabric: Network) -> Proxies:
    """A closed meeting with own ballots, one by proxy, one refused, one replaced, and sessions unused."""
    player = Proxies(fabric)
    player.enrolled(sessions=3).opened()
    agency = player.agency("an", "ding")
    player.acting(agency)
    mandate = agency.mandate()
    player.record(mandate)
    player.vote("an", agency, agency.signed(mandate, 3))
    player.vote("an", agency, agency.signed(mandate, 2), refused("SEQ_STALE"))
    player.vote("bo", None, player.ballot("bo", m2="reject"))
    player.vote("bo", None, player.ballot("bo", seq=2, m1="abstain"))
    player.vote("chen", None, player.ballot("chen"))
    player.vote("zeng", None, player.ballot("zeng", m1="reject"))
    player.closed()
    return player
