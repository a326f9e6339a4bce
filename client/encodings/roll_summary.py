"""What of a roll goes on chain: root, sizes and totals, and the cap that they are checked against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, merkle, times
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, is_count, is_hash, is_name
from client.encodings.roll_parts import (
    Disputed,
    Exclusion,
    check_parts,
    disputed_of,
    exclusions_of,
    parse_disputed,
    parse_exclusions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.leaf import Leaf


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """One class's lenders and its fen."""

    cls: str
    heads: int
    fen: int


@dataclass(frozen=True, slots=True)
class RollSummary:
    """A roll's root (32 bytes), size, totals and cap height, and when its claims were taken."""

    root: bytes
    size: int
    heads: int
    fen: int
    cap_height: int
    snapshot: str
    classes: tuple[ClassTotal, ...]
    excluded: tuple[Exclusion, ...] = ()
    disputed: tuple[Disputed, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the summary as the `roll` member of a meeting's record."""
        return {
            "root": base64url.encode(self.root),
            "size": self.size,
            "heads": self.heads,
            "fen": self.fen,
            "cap_height": self.cap_height,
            "snapshot": self.snapshot,
            "classes": [
                {"class": entry.cls, "heads": entry.heads, "fen": entry.fen} for entry in self.classes
            ],
            "excluded": [
                {"motion": entry.motion, "class": entry.cls, "heads": entry.heads, "fen": entry.fen}
                for entry in self.excluded
            ],
            "disputed": [
                {"class": entry.cls, "heads": entry.heads, "fen": entry.fen}
                | ({} if entry.motion is None else {"motion": entry.motion})
                for entry in self.disputed
            ],
        }

    def eligible(self, scope: str) -> tuple[int, int]:
        """Return (heads, fen) of a class, or of everybody for `all`."""
        if scope == "all":
            return (self.heads, self.fen)
        entry = next(entry for entry in self.classes if entry.cls == scope)
        return (entry.heads, entry.fen)

    def verify_cap(self, cap: Sequence[bytes]) -> None:
        """Refuse (MEETING_ROLL) a cap that is not this roll's."""
        try:
            merkle.verify_cap(cap, size=self.size, height=self.cap_height, root=self.root)
        except merkle.ProofError as error:
            raise Refused("MEETING_ROLL", str(error)) from error


def summarize(leaves: Sequence[Leaf], tree: merkle.Tree, snapshot: str) -> RollSummary:
    """Return the figures of a roll's leaves and their tree, its cap as wide as it may be."""
    totals: dict[str, list[int]] = {}
    for leaf in leaves:
        for claim in leaf.claims:
            total = totals.setdefault(claim.cls, [0, 0])
            total[0] += 1
            total[1] += claim.fen
    return RollSummary(
        root=tree.root,
        size=len(leaves),
        heads=len(leaves),
        fen=sum(total[1] for total in totals.values()),
        cap_height=merkle.cap_height(len(leaves)),
        snapshot=snapshot,
        classes=tuple(ClassTotal(name, *totals[name]) for name in sorted(totals)),
        excluded=exclusions_of(leaves),
        disputed=disputed_of(leaves),
    )


def parse_roll_summary(value: Any) -> RollSummary:
    """Return the summary of parsed JSON.

    Raise ValueError for a wrong form (sizes, totals and order included in the form), and
    refuse (MEETING_ROLL) figures that don't agree with each other.
    """
    names = {
        "root",
        "size",
        "heads",
        "fen",
        "cap_height",
        "snapshot",
        "classes",
        "excluded",
        "disputed",
    }
    if not isinstance(value, dict) or value.keys() != names:
        raise ValueError(f"roll: other members than {', '.join(sorted(names))}")
    if not is_hash(value["root"]):
        raise ValueError("roll.root is not a base64url hash")
    if not times.is_time(value["snapshot"]):
        raise ValueError("roll.snapshot is not a time")
    for name in ("size", "heads", "fen"):
        if not is_count(value[name]) or value[name] < 1:
            raise ValueError(f"roll.{name} is not a positive integer")
    if not is_count(value["cap_height"]):
        raise ValueError("roll.cap_height is not an integer")
    summary = RollSummary(
        root=base64url.decode(value["root"], HASH_BYTES),
        size=value["size"],
        heads=value["heads"],
        fen=value["fen"],
        cap_height=value["cap_height"],
        snapshot=value["snapshot"],
        classes=_classes(value["classes"]),
        excluded=parse_exclusions(value["excluded"]),
        disputed=parse_disputed(value["disputed"]),
    )
    _check_sums(summary)
    check_parts(summary)
    return summary


def _classes(value: Any) -> tuple[ClassTotal, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("roll.classes is not a list of at least one class")
    totals: list[ClassTotal] = []
    for item in value:
        if (
            not isinstance(item, dict)
            or item.keys() != {"class", "heads", "fen"}
            or not is_name(item["class"])
            or item["class"] in ("all", "each")  # the names of the scopes over every class
            or not all(is_count(item[name]) and item[name] >= 1 for name in ("heads", "fen"))
        ):
            raise ValueError("roll.classes: one is not a class with positive heads and fen")
        if totals and item["class"] <= totals[-1].cls:
            raise ValueError("roll.classes is not sorted, or has a class twice")
        totals.append(ClassTotal(item["class"], item["heads"], item["fen"]))
    return tuple(totals)


def _check_sums(summary: RollSummary) -> None:
    if summary.size != summary.heads:
        raise Refused("MEETING_ROLL", f"size {summary.size}, heads {summary.heads}: one leaf a lender")
    total = sum(entry.fen for entry in summary.classes)
    if total != summary.fen:
        raise Refused("MEETING_ROLL", f"the classes have {total} fen, the roll {summary.fen}")
    # A lender in several classes counts in each, so the classes' heads may exceed the roll's.
    if sum(entry.heads for entry in summary.classes) < summary.heads:
        raise Refused("MEETING_ROLL", "the classes have fewer lenders than the roll")
    if any(entry.heads > summary.heads or entry.fen < entry.heads for entry in summary.classes):
        raise Refused("MEETING_ROLL", "a class has more lenders than the roll, or than fen")
    if not merkle.is_cap_height(summary.size, summary.cap_height):
        raise Refused("MEETING_ROLL", f"{summary.size} leaves have no cap of height {summary.cap_height}")
