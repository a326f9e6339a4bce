"""Flips bits of one block and holds what the ledger says to the coverage map."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from auditor.coverage import spans
from auditor.errors import VerificationError
from auditor.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.coverage import Span

UNREADABLE = "it is not a block"


class Flipper:
    """One block after those before it, which are accepted and so is it."""

    def __init__(self, channel: str, genesis: bytes, before: Sequence[bytes], raw: bytes) -> None:
        self._channel, self._genesis, self._before, self._raw = channel, genesis, before, raw
        self.number = len(before)
        self.spans = spans(raw, self._followed().configuration.quorum if before else 0)
        self._followed().accept(raw)
        self._ledger = self._followed()

    def sample(self, count: int, seed: int, *, least: int = 8) -> Iterator[tuple[Span, int, int]]:
        """Yield (span, byte, bit): `least` in every span, and the rest over the whole block evenly."""
        draw = random.Random(seed)  # noqa: S311  a sample that every run repeats
        for one in self.spans:
            for _ in range(least):
                yield one, draw.randrange(one.start, one.end), draw.randrange(8)
        for _ in range(count):
            place = draw.randrange(len(self._raw))
            yield next(one for one in self.spans if one.start <= place < one.end), place, draw.randrange(8)

    def flip(self, span: Span, place: int, bit: int) -> str:
        """Flip and verify; returns "refused" or "passed", and fails where the map says otherwise."""
        raw = self._raw
        flipped = raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
        found = self._refusal(flipped)
        step = span.region.protected_by(self.number)
        if step is not None:
            at = f"{self._channel} block {self.number}, {span.region.name}, byte {place} bit {bit}"
            assert found is not None, f"{at}: accepted"
            assert found.step <= step or found.reason.startswith(UNREADABLE), f"{at}: {found}"
        return "passed" if found is None else "refused"

    def _refusal(self, flipped: bytes) -> VerificationError | None:
        try:
            self._ledger.accept(flipped)
        except VerificationError as error:
            return error
        self._ledger = self._followed()  # it took the block over: begin again
        return None

    def _followed(self) -> Ledger:
        ledger = Ledger(self._channel, self._genesis)
        for one in self._before:
            ledger.accept(one)
        return ledger
