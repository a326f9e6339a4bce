"""The chaincode's answer to a batch of anything: one verdict an item."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from client.errors import UserError


class VerdictsError(UserError):
    """The chaincode's answer to a batch isn't of the agreed form: the caller must not guess."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts by index in the batch; an index in none of the three was accepted."""

    size: int
    held: frozenset[int]
    refused: dict[int, str]
    pending: dict[int, str]

    @classmethod
    def parse(cls, answer: bytes | str, size: int) -> Verdicts:
        """Read `{"v":1,"accepted":n,"held":[i],"refused":[[i,code,rev]],"pending":[[i,code]]}`.

        Raises VerdictsError unless the numbers add up to the batch's size.
        """
        try:
            document = json.loads(answer)
            held = frozenset(int(index) for index in document.get("held") or ())
            refused = {int(entry[0]): str(entry[1]) for entry in document.get("refused") or ()}
            pending = {int(entry[0]): str(entry[1]) for entry in document.get("pending") or ()}
            accepted = int(document["accepted"])
            version = document["v"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise VerdictsError(f"the answer to a batch can't be read: {answer[:200]!r}") from error
        named = [*held, *refused, *pending]
        if version != 1 or len(set(named)) != len(named) or any(not 0 <= index < size for index in named):
            raise VerdictsError(f"the answer to a batch of {size} contradicts itself")
        if accepted != size - len(named):
            raise VerdictsError(f"the answer to a batch of {size} accepts {accepted}: they don't add up")
        return cls(size, held, refused, pending)

    def of(self, index: int) -> str:
        """Return the verdict at this index: `accepted`, `held`, or the code of a refused or pending one."""
        if index in self.held:
            return "held"
        return self.refused.get(index) or self.pending.get(index) or "accepted"

    def count(self) -> Counter[str]:
        """Count the verdicts by what `of` calls them."""
        accepted = self.size - len(self.held) - len(self.refused) - len(self.pending)
        counts = Counter({"accepted": accepted, "held": len(self.held)})
        counts.update(self.refused.values())
        counts.update(self.pending.values())
        return +counts

    def accepts(self, index: int) -> bool:
        """Whether the item at this index was written by this very transaction."""
        return index not in self.held and index not in self.refused and index not in self.pending
