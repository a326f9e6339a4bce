"""Everything that is tampered with, and the lot that decides what and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.log.service_db import ServiceDatabase
from tests.tampering.attacks import Attacker
from tests.tampering.blocks import Blocks
from tests.tampering.case import drawing
from tests.tampering.files import Files
from tests.tampering.forks import Forks
from tests.tampering.rows import Platform, altered, whole
from tests.unit.auditor.log.stage import LogStage
from tests.unit.auditor.meeting_player import Player
from tests.unit.auditor.test_mandates import Proxies, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tampering.case import Case
    from tests.unit.auditor.builder import Network

WEIGHTS = {"rows": 30, "whole rows": 10, "blocks": 25, "files": 15, "forks": 5, "attacks": 15}


class Harness:
    """One network, one closed meeting with ballots of every kind, its database, and what was handed out."""

    def __init__(self, fabric: Network, folder: Path) -> None:
        closed = meeting(fabric)
        self.platform = Platform(closed, folder / "platform.db")
        self.blocks = Blocks(closed)
        self._database = ServiceDatabase.open(f"sqlite:///{folder / 'audit.db'}")
        stage = LogStage(fabric, self._database)
        self._forks = Forks(stage)
        self._files = Files(stage, folder)
        opened = Player(fabric, revote="last").enrolled(sessions=2).opened()
        self._attacker = Attacker(opened.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})]))

    def close(self) -> None:
        self.platform.close()
        self._database.close()

    def case(self, seed: int, surface: str = "") -> Case:
        """Tamper as the seed decides, and take it back."""
        draw = drawing(seed)
        chosen = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        match surface or chosen:
            case "rows":
                return altered(self.platform, draw)
            case "whole rows":
                return whole(self.platform, draw)
            case "blocks":
                return self.blocks.flip(draw)
            case "files":
                return self._files.tamper(draw)
            case "forks":
                return self._forks.fork(draw)
            case _:
                return self._attacker.attack(draw)


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
