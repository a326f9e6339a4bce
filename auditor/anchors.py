"""Anchored tree heads against the tree that the ballots give: whoever anchored a wrong root is named."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from auditor.errors import ReplayError
from auditor.log.leaf import leaves_of
from auditor.log.tree import LogTree, MemoryNodes
from auditor.replay.anchors import STEP_ANCHOR
from client.encodings import base64url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.view import ChainAnchor, ChainBallot


def wrong_anchors(
    mtg: str, anchors: Sequence[ChainAnchor], ballots: Iterable[ChainBallot]
) -> Iterator[ReplayError]:
    """Yield each anchor whose root is not that of the first `size` accepted ballots, or that has more.

    `ballots` are the accepted ones in the chain's order; no more of them are read than the largest anchor
    has, and none where nothing is anchored.
    """
    tree, leaves = LogTree(MemoryNodes()), leaves_of(mtg, ballots)
    for anchor in sorted(anchors, key=lambda one: one.size):
        tree.extend(leaf.hash() for leaf in islice(leaves, anchor.size - tree.size))
        if (wrong := wrong_anchor(anchor, tree)) is not None:
            yield wrong


def wrong_anchor(anchor: ChainAnchor, tree: LogTree) -> ReplayError | None:
    """Return what is wrong with one anchor by the tree of the accepted ballots, None where nothing is."""
    if tree.size < anchor.size:
        said = "the anchored head has more ballots than the chain"
        return ReplayError(STEP_ANCHOR, anchor.where, said, expected=tree.size, found=anchor.size)
    own = base64url.encode(tree.root(anchor.size))
    if own == anchor.root:
        return None
    said = f"the anchored root of {anchor.size} ballots is not the one that they give"
    return ReplayError(STEP_ANCHOR, anchor.where, said, expected=own, found=anchor.root)
