"""Tampering with blocks: one bit anywhere that the coverage map says is protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.coverage import NUMBER
from tests.tampering.case import Case, flipped
from tests.unit.auditor.flipping import UNREADABLE, Flipper
from tests.unit.auditor.meeting_player import CHANNEL

if TYPE_CHECKING:
    import random

    from auditor.errors import VerificationError
    from tests.unit.auditor.meeting_player import Player


class Blocks:
    """Every block of both channels, each after those before it."""

    def __init__(self, player: Player) -> None:
        self._chains = {"identity": player.identity.blocks, CHANNEL: player.chain.blocks}
        self._genesis = player.genesis
        self._ready: dict[tuple[str, int], Flipper] = {}
        self._places = [(name, number) for name, one in self._chains.items() for number in range(len(one))]

    def flip(self, draw: random.Random, *, covered: bool = True) -> Case:
        """Flip a bit in a protected region, or in one that nothing covers."""
        channel, number = draw.choice(self._places)
        flipper = self._flipper(channel, number)
        raw = self._chains[channel][number]
        spans = [one for one in flipper.spans if (one.region.protected_by(number) is not None) == covered]
        span = draw.choices(spans, [one.end - one.start for one in spans])[0]
        changed, place = flipped(raw, draw, span.start, span.end)
        step = span.region.protected_by(number)
        refusal = flipper._refusal(changed)
        expected = frozenset() if step is None else frozenset({f"step {one}" for one in range(1, step + 1)})
        what = f"{channel} block {number}, {span.region.name}, {place}"
        return Case(
            "blocks", what, expected, _named(refusal, number, anywhere=span.region is NUMBER, step=step)
        )

    def _flipper(self, channel: str, number: int) -> Flipper:
        if (channel, number) not in self._ready:
            blocks = self._chains[channel]
            flipper = Flipper(channel, self._genesis[channel], blocks[:number], blocks[number])
            self._ready[channel, number] = flipper
        return self._ready[channel, number]


def _named(
    refusal: VerificationError | None, number: int, *, anywhere: bool, step: int | None
) -> frozenset[str]:
    """The step, where the refusal also says which block it was; bytes that are no block are step 3's."""
    if refusal is None:
        return frozenset()
    if refusal.reason.startswith(UNREADABLE):
        return frozenset({f"step {step}"})
    return frozenset(
        {f"step {refusal.step}"} if anywhere or f"block {number}" in refusal.where else {refusal.where}
    )
