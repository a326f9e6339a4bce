"""A random sample of the lenders who voted, drawn again by anybody (docs/sampling.md)."""

from __future__ import annotations

import hashlib
import heapq
from bisect import bisect_left
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any, Final

from auditor.errors import AuditUnavailable
from auditor.log.errors import LogRefused
from auditor.log.leaf import leaves_of
from auditor.log.tree import LogTree, MemoryNodes
from auditor.verifier import IDENTITY, Verifier
from auditor.withhold import told
from client.encodings import base64url, jcs
from client.errors import UserError

if TYPE_CHECKING:
    from fractions import Fraction

    from auditor.run import Roots
    from auditor.source import BlockSource
    from auditor.view import ChainMeeting

TAG: Final = b"concordat/sample/v1"
_MAX_SEED: Final = 200
_MIN_SEED: Final = 8


@dataclass(frozen=True, slots=True, order=True)
class Drawn:
    """A voter drawn: its rank (hex), its pseudonym, and the identity session of the ballot that stands."""

    rank: str
    sub: str
    ses: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of the `population` lenders who have an accepted ballot, the lowest rank first."""

    mtg: str
    mh: str
    root: str
    seed: str
    population: int
    voters: tuple[Drawn, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable sample: pseudonyms and session ids, nothing of a choice."""
        return {
            "mtg": self.mtg,
            "mh": self.mh,
            "root": self.root,
            "seed": self.seed,
            "population": self.population,
            "size": len(self.voters),
            "voters": [{"rank": one.rank, "sub": one.sub, "ses": one.ses} for one in self.voters],
        }


def rank(*, mh: str, root: str, seed: str, sub: str) -> str:
    """Return a voter's rank: the hash, in hex, that decides where it comes."""
    text = jcs.dumps({"mh": mh, "root": root, "seed": seed, "sub": sub})
    return hashlib.sha256(TAG + text).hexdigest()


def draw(meeting: ChainMeeting, seed: str, size: int) -> Sample:
    """Return the `size` voters of lowest rank, all of them where there are fewer.

    Raises UserError before the meeting is closed, since a seed that is known before the ballots are could
    choose them; and for a seed that is not 8 to 200 printable ASCII characters.
    """
    if not meeting.closed:
        raise UserError(
            f"meeting {meeting.mtg} is {meeting.state}: a sample is drawn once it is closed, by a later seed"
        )
    if not (_MIN_SEED <= len(seed) <= _MAX_SEED and seed.isascii() and seed.isprintable()):
        raise UserError(f"the seed has to be {_MIN_SEED} to {_MAX_SEED} printable ASCII characters")
    tree = LogTree(MemoryNodes())
    tree.extend(leaf.hash() for leaf in leaves_of(meeting.mtg, meeting.accepted.values()))
    root = base64url.encode(tree.root())
    standing = {one.sub: one.ses for one in meeting.accepted.values()}  # in the chain's order: the last stays
    ranked = (
        Drawn(rank(mh=meeting.mh, root=root, seed=seed, sub=sub), sub, ses) for sub, ses in standing.items()
    )
    return Sample(meeting.mtg, meeting.mh, root, seed, len(standing), tuple(heapq.nsmallest(size, ranked)))


def draw_from(source: BlockSource, roots: Roots, mtg: str, seed: str, size: int) -> Sample:
    """Verify the channels from the own peer, then draw.

    Refuses (LOG_UNVERIFIED) over a chain that fails a step. Raises AuditUnavailable where no channel has
    the meeting, and UserError as `draw` does.
    """
    verifier = Verifier(roots.genesis, roots.offices)
    channels = [name for name in roots.genesis if name != IDENTITY]
    heights = {name: source.height(name) for name in channels}
    verifier.follow(IDENTITY, source.blocks(IDENTITY, 0, source.height(IDENTITY)))
    for channel in channels:
        verifier.follow(channel, source.blocks(channel, 0, heights[channel]))
        findings, meeting = verifier.findings(channel, mtg), verifier.meeting(channel, mtg)
        if findings and (meeting is not None or verifier.broken(channel)):
            closed = meeting is not None and bool(meeting.result)
            raise LogRefused("LOG_UNVERIFIED", told(findings[0], closed=closed))
        if meeting is not None:
            return draw(meeting, seed, size)
    raise AuditUnavailable(f"there is no meeting {mtg!r} on {', '.join(channels) or 'any channel'}")


def size_for(population: int, fraction: Fraction, confidence: Fraction) -> int:
    """Return how many to draw so that at least one false ballot is among them with this probability.

    At least `fraction` of the `population` ballots are false; drawing is without replacement, so the chance
    to miss them all is hypergeometric. Raises UserError for what is no proper fraction.
    """
    if population < 1 or not 0 < fraction <= 1 or not 0 < confidence < 1:
        raise UserError("needed are at least one voter, a fraction above 0, and a confidence between 0 and 1")
    false = -(-population * fraction.numerator // fraction.denominator)
    allowed = 1 - confidence

    def enough(size: int) -> bool:
        missed, of = _missed(population, false, size)
        return missed * allowed.denominator <= of * allowed.numerator

    # Doubled until it is enough, so that no number is tried that is much larger than the answer.
    least, most = 0, 1
    while not enough(most):
        least, most = most, 2 * most
    return least + bisect_left(range(least, most), True, key=enough)


def _missed(population: int, false: int, size: int) -> tuple[int, int]:
    """Return the chance that `size` drawn have none of the `false`, as a fraction that nobody has shortened.

    Both forms say the same; the one of fewer factors is quick.
    """
    if false < size:
        return (comb(population - size, false) if size <= population else 0), comb(population, false)
    return comb(population - false, size), comb(population, size)
