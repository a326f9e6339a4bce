"""Honest meetings, no two alike: nothing may be found in any of them."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from tests.tampering.rows import Platform
from tests.unit.auditor import config_changes
from tests.unit.auditor.amending_player import AmendingPlayer
from tests.unit.auditor.builder import copy_without_endorsements
from tests.unit.auditor.config_builder import reconfigure
from tests.unit.auditor.meeting_player import CHANNEL, Player
from tests.unit.auditor.test_mandates import Proxies, refused

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network

LENDERS = ("an", "bo", "chen", "ding", "zeng")
CHOICES = ("approve", "reject", "abstain")


def findings_in(fabric: Network, draw: random.Random, path: Path) -> tuple[str, list[str]]:
    """Play an honest meeting; return what was special about it, and whatever was found in it."""
    play = draw.choice((_voting, _voting, _amended, _by_proxy))
    player, what = play(fabric, draw)
    if draw.randrange(4):
        player.closed()
        if draw.randrange(2):
            player.step("objections")
    verifier = player.follow()
    found = [str(one) for one in verifier.findings(CHANNEL)]
    if not found:
        platform = Platform(player, path, draw)
        found += [str(one) for one in platform.found()]
        platform.close()
    return f"{play.__name__} {what}", found


def _votes(draw: random.Random) -> dict[str, Any]:
    return {motion: draw.choice(CHOICES) for motion in ("m1", "m2")}


def _reconfigured(player: Player, draw: random.Random) -> str:
    """Now and then, a configuration update that the Regulator signed."""
    if draw.randrange(4):
        return ""
    chain = draw.choice((player.identity, player.chain))
    change, other = draw.choice(
        (
            (config_changes.batch_size, "AssociationMSP"),
            (config_changes.batch_size, "ArbitrationMSP"),
            (config_changes.anchor_peer, config_changes.INSTITUTION),
        )
    )
    reconfigure(chain, change, ["RegulatorMSP", other])
    return f" {chain.channel} reconfigured"


def _voting(fabric: Network, draw: random.Random) -> tuple[Player, str]:
    """Ballots in any order, in batches of any size, compact or whole, cast again where that is allowed."""
    revote = draw.choice(("none", "last"))
    player = Player(fabric, revote=revote).enrolled(sessions=3).opened()
    turns = [
        (name, seq) for name in LENDERS for seq in range(1, 1 + draw.randrange(4 if revote == "last" else 2))
    ]
    draw.shuffle(turns)
    turns = _in_turn(turns)
    what, number, changed = f"{revote}, {len(turns)} ballots", 0, set[str]()
    while turns:
        batch: list[tuple[str, int, dict[str, Any]]] = []
        size = 1 + draw.randrange(4)
        while turns and len(batch) < size and turns[0][0] not in {name for name, *_ in batch}:
            name, seq = turns.pop(0)
            number += 1
            batch.append((name, number, {"seq": seq, **_votes(draw)}))
        with _copied(player) if not draw.randrange(4) else nullcontext():
            player.submit(batch, raw=bool(draw.randrange(2)))
        what += f", {len(batch)}"
        if not changed:
            changed.add(said := _reconfigured(player, draw))
            what += said
            changed.discard("")
    return player, what


@contextmanager
def _copied(player: Player) -> Iterator[None]:
    """Before each transaction in its block stands a copy with too few endorsements, which is refused."""
    add = player.chain.add

    def both(full: bytes) -> bytes:
        return add(copy_without_endorsements(full, player.relay), full, codes=[10, 0])

    player.chain.add = both  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        player.chain.add = add  # type: ignore[method-assign]
    last = len(player.chain.blocks) - 1
    player.versions |= {name: (last, 1) for name, (block, _) in player.versions.items() if block == last}


def _in_turn(turns: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The same order of names, each name's numbers rising."""
    seen: dict[str, int] = {}
    ordered = []
    for name, _ in turns:
        seen[name] = seen.get(name, 0) + 1
        ordered.append((name, seen[name]))
    return ordered


def _amended(fabric: Network, draw: random.Random) -> tuple[Player, str]:
    """Claims corrected or struck off before and after those lenders voted."""
    player = AmendingPlayer(fabric)
    player.enrolled().opened()
    names = list(LENDERS)
    draw.shuffle(names)
    early, late = names[:2], names[2:4]
    player.submit([(name, number, _votes(draw)) for number, name in enumerate(early, 1)])
    what = f"{early} voted, amended"
    for name in draw.sample(names, 1 + draw.randrange(2)):
        claims = player.scene.lenders[name].claims
        wanted = tuple(claim.__class__(claim.cls, claim.fen + 1 + draw.randrange(10**6)) for claim in claims)
        player.amend(**{name: wanted})
        what += f" {name}"
        late = [one for one in late if one != name]
    if late:
        player.submit([(name, number, _votes(draw)) for number, name in enumerate(late, 3)])
    return player, what + _reconfigured(player, draw)


def _by_proxy(fabric: Network, draw: random.Random) -> tuple[Player, str]:
    """A mandate, ballots by it, perhaps a stale one refused, the principal's own, others' beside."""
    player = Proxies(fabric)
    player.enrolled(sessions=3).opened()
    principal, proxy, other = draw.sample(LENDERS, 3)
    agency = player.agency(principal, proxy)
    player.acting(agency)
    mandate = agency.mandate()
    player.record(mandate)
    what = f"{proxy} for {principal}"
    player.vote(principal, agency, agency.signed(mandate, 2, _votes(draw)))
    if draw.randrange(2):
        player.vote(principal, agency, agency.signed(mandate, 1, _votes(draw)), refused("SEQ_STALE"))
        what += ", stale"
    if draw.randrange(2):
        player.vote(principal, None, player.ballot(principal, **_votes(draw)))
        what += ", own"
    if draw.randrange(2):
        player.revoke_mandate(agency)
        what += ", revoked"
    player.vote(other, None, player.ballot(other, **_votes(draw)))
    return player, what + _reconfigured(player, draw)
