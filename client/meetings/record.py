"""Building a meeting's frozen record, and what of its roll goes on the channel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from client.encodings import cbor, merkle
from client.encodings.meeting import SCHEME, VERSION, meeting_from_json
from client.encodings.roll_summary import RollSummary, summarize
from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from client.encodings.leaf import Leaf
    from client.encodings.meeting import Meeting
    from client.rolls import Roll


METHODS: Final = ("face-v1", "face-review-v1", "officer-v1")
"""How a lender may be identified unless a meeting says otherwise: a living face that matches; one that
officers passed after a review; two officers without a face. Methods that begin with `insecure-` stand for no
check at all and have to be named.
"""


@dataclass(frozen=True, slots=True)
class FrozenRoll:
    """A meeting's roll in the order of its tree: leaves by pseudonym (ASCII), the tree, the figures."""

    leaves: tuple[Leaf, ...]
    tree: merkle.Tree
    summary: RollSummary

    @classmethod
    def freeze(cls, leaves: Iterable[Leaf], snapshot: str) -> FrozenRoll:
        """Order the leaves and compute root, cap height and totals; `snapshot` is when claims were taken.

        Raises UserError for no leaves, one pseudonym twice, or leaves of several meetings.
        """
        ordered = tuple(sorted(leaves, key=lambda leaf: leaf.sub.encode("ascii")))
        if not ordered:
            raise UserError("the roll is empty: a meeting needs at least one lender")
        for before, after in pairwise(ordered):
            if before.sub == after.sub:
                raise UserError(f"the pseudonym {after.sub} is on the roll twice")
        if len({leaf.mtg for leaf in ordered}) != 1:
            raise UserError("the roll's leaves are of several meetings")
        tree = merkle.Tree(leaf.hash() for leaf in ordered)
        summary = summarize(ordered, tree, snapshot)
        return cls(ordered, tree, summary)

    @classmethod
    def of(cls, roll: Roll) -> FrozenRoll:
        """Freeze an imported roll, everything computed again."""
        return cls.freeze(roll.leaves, roll.snapshot)

    @property
    def cap(self) -> bytes:
        """The cap as the channel gets it: CBOR `[*bstr32]`."""
        return cbor.dumps(list(self.tree.cap(self.summary.cap_height)))


def build_meeting(
    *,
    mtg: str,
    institution: str,
    title: str,
    roll: RollSummary,
    motions: Sequence[Mapping[str, Any]],
    opens_at: str,
    closes_at: str,
    objections_until: str,
    genesis: Mapping[str, str],
    documents: Sequence[tuple[str, str]] = (),
    revote: str = "none",
    replaces: Mapping[str, str] | None = None,
    proxies: bool = False,
    methods: Sequence[str] = METHODS,
) -> Meeting:
    """Return the meeting of a record built from its parts.

    Times are `YYYY-MM-DDTHH:MM:SSZ`, `documents` (name, hex SHA-256), `genesis` the hash of block 0 by
    channel, `replaces` mtg, mh and why of the meeting that this one is in the place of, `methods` those
    that identity sessions may name. Refuses with MEETING_FORMAT or MEETING_ROLL, saying where.
    """
    return meeting_from_json(
        {
            "v": VERSION,
            "mtg": mtg,
            "institution": institution,
            "title": title,
            "scheme": SCHEME,
            "documents": [{"name": name, "sha256": digest} for name, digest in documents],
            "roll": roll.as_json(),
            "motions": [dict(item) for item in motions],
            "revote": revote,
            "replaces": None if replaces is None else dict(replaces),
            "proxies": proxies,
            "methods": list(methods),
            "opens_at": opens_at,
            "closes_at": closes_at,
            "objections_until": objections_until,
            "genesis": dict(genesis),
        }
    )
