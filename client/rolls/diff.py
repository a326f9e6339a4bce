"""What changed between two versions of a roll, lender by lender."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings.leaf import claims_json

if TYPE_CHECKING:
    from client.rolls.roll import Entry, Roll


@dataclass(frozen=True, slots=True)
class Changed:
    """A lender on both rolls with something else: the names of what differs, in the order of the columns."""

    before: Entry
    after: Entry
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Lenders only on the second roll, only on the first, and on both with a change."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[Changed, ...]

    @property
    def none(self) -> bool:
        """Whether the rolls have the same lenders with the same claims."""
        return not (self.added or self.removed or self.changed)

    def as_json(self) -> dict[str, Any]:
        """Return the difference by pseudonyms: of persons only what differs is named, not how."""
        return {
            "added": [_shown(entry) for entry in self.added],
            "removed": [_shown(entry) for entry in self.removed],
            "changed": [
                {"what": list(one.what), "before": _shown(one.before), "after": _shown(one.after)}
                for one in self.changed
            ],
        }


def diff_rolls(before: Roll, after: Roll) -> Difference:
    """Compare two rolls: a lender is the same by identity document, else by pseudonym.

    Salts are passed over: every import draws them afresh. So is the pseudonym, unless the document changed.
    """
    by_document = {entry.person.document: entry for entry in before.entries}
    pairs: list[tuple[Entry, Entry]] = []
    fresh: list[Entry] = []
    for entry in after.entries:
        known = by_document.pop(entry.person.document, None)
        if known is None:
            fresh.append(entry)
        else:
            pairs.append((known, entry))
    by_sub = {entry.leaf.sub: entry for entry in by_document.values()}
    added = []
    for entry in fresh:
        known = by_sub.pop(entry.leaf.sub, None)
        if known is None:
            added.append(entry)
        else:
            pairs.append((known, entry))
    changed = [Changed(one, two, what) for one, two in pairs if (what := _what(one, two))]
    changed.sort(key=lambda change: change.after.leaf.sub)
    return Difference(tuple(added), tuple(by_sub.values()), tuple(changed))


def _what(one: Entry, two: Entry) -> tuple[str, ...]:
    sides = {
        "name": (one.person.name, two.person.name),
        "document": (one.person.document, two.person.document),
        "phone": (one.person.phone, two.person.phone),
        "email": (one.person.email, two.person.email),
        "claims": (one.leaf.claims, two.leaf.claims),
        "excluded": (one.leaf.excluded, two.leaf.excluded),
    }
    return tuple(name for name, (left, right) in sides.items() if left != right)


def _shown(entry: Entry) -> dict[str, Any]:
    leaf = entry.leaf
    return {"sub": leaf.sub, "claims": claims_json(leaf.claims), "excluded": list(leaf.excluded)}
