"""Amendments of a frozen roll as replayed: whom they name, what stands, the roll's figures as amended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from client.encodings import base64url, cbor, hashes, jcs
from client.encodings.amendment import MAX_AMENDED, Amended
from client.encodings.entries import claim_indexes, motion_indexes
from client.encodings.errors import Refused
from client.encodings.ids import ID_BYTES, MAX_INTEGER
from client.encodings.leaf import claims_json
from client.encodings.roll_parts import EVERYBODY, Disputed, Exclusion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.encodings.amendment import Amendment, Change, Entitlement
    from client.encodings.ballot import Vote
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.meeting import Meeting
    from client.encodings.roll_summary import RollSummary

STATES = ("announced", "open", "closing")


@dataclass(frozen=True, slots=True)
class PendingAmendment:
    """An amendment that waits for confirmation: who proposed it and its canonical bytes."""

    by: str
    encoded: bytes

    @property
    def digest(self) -> str:
        """What the confirmation names."""
        return hashes.digest(hashes.AMENDMENT, self.encoded)

    def record(self, tx: str) -> bytes:
        """Return the canonical record of the transaction that proposed or confirmed it."""
        document = jcs.loads(self.encoded)
        return jcs.dumps({"v": 1, "by": self.by, "digest": self.digest, "document": document, "tx": tx})


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a meeting's amendments made of its roll: by lender, what the roll has and what stands."""

    number: int = 0
    lenders: Mapping[str, Amended] = field(default_factory=dict)

    def entitled(self) -> dict[str, frozenset[str]]:
        """Return, by lender, the claims that the roll has and those that stand, as canonical JSON."""
        return {
            sub: frozenset(
                jcs.dumps(claims_json(side.claims)).decode()
                for side in (amended.before, amended.after)
                if side is not None
            )
            for sub, amended in self.lenders.items()
        }

    def amend(self, amendment: Amendment, meeting: Meeting, held: Mapping[str, BallotRecord]) -> Overlay:
        """Return the overlay with one amendment more.

        Refuses AMENDMENT_FORMAT (the number is not the next; too many lenders), ROLL_CLASS, and
        AMENDMENT_CLAIMS where `before` is not what an amendment left or a ballot counts with, or where the
        roll would have figures that no roll can have.
        """
        if amendment.no != self.number + 1:
            raise Refused("AMENDMENT_FORMAT", f"no is {amendment.no} after {self.number}")
        lenders = dict(self.lenders)
        for change in amendment.changes:
            _verify_known(change, meeting)
            earlier = lenders.get(change.sub)
            if earlier is None:
                lenders[change.sub] = Amended(change.before, change.after)
                continue
            if earlier.after != change.before:
                raise Refused("AMENDMENT_CLAIMS", f"{change.sub}, as amended before")
            lenders[change.sub] = Amended(earlier.before, change.after)
        if len(lenders) > MAX_AMENDED:
            raise Refused("AMENDMENT_FORMAT", f"more than {MAX_AMENDED} lenders amended")
        overlay = Overlay(amendment.no, lenders)
        overlay.roll(meeting.roll)
        for change in amendment.changes:
            cast = held.get(change.sub)
            if cast is not None and cast != reweighed(cast, change.before):
                raise Refused("AMENDMENT_CLAIMS", f"{change.sub}, as the ballot was cast")
        return overlay

    def encode(self, meeting: Meeting) -> bytes:
        """Return the record `amendments` of the meeting."""
        lenders = [
            [
                base64url.decode(sub, ID_BYTES),
                _indexes(self.lenders[sub].before, meeting),
                _indexes(self.lenders[sub].after, meeting),
            ]
            for sub in sorted(self.lenders)
        ]
        return cbor.dumps([1, self.number, lenders])

    def roll(self, frozen: RollSummary) -> RollSummary:
        """Return the roll with its figures as amended; root and cap height stay the frozen ones."""
        cells = _cells(frozen)
        for change in self.lenders.values():
            _count(cells, change.before, -1)
            _count(cells, change.after, 1)
        _verify_figures(cells, [entry.cls for entry in frozen.classes])
        heads, fen = cells["all", "", EVERYBODY]
        kept = [(place, cell) for place, cell in sorted(cells.items()) if cell != [0, 0]]
        return replace(
            frozen,
            size=heads,
            heads=heads,
            fen=fen,
            classes=tuple(
                replace(entry, heads=cells["all", "", entry.cls][0], fen=cells["all", "", entry.cls][1])
                for entry in frozen.classes
            ),
            excluded=tuple(
                Exclusion(motion, cls, *cell) for (kind, motion, cls), cell in kept if kind == "excluded"
            ),
            disputed=tuple(
                Disputed(cls, cell[0], cell[1], motion or None)
                for (kind, motion, cls), cell in kept
                if kind == "disputed"
            ),
        )

    def meeting(self, record: Meeting) -> Meeting:
        """Return the meeting with its roll's figures as amended; its record and `mh` stay."""
        return replace(record, roll=self.roll(record.roll))


def reweighed(cast: BallotRecord, after: Entitlement | None) -> BallotRecord:
    """Return a ballot as it counts with what its lender is entitled to now; off the roll, with nothing."""
    claims, excluded = ((), ()) if after is None else (after.claims, after.excluded)
    return replace(cast, claims=claims, excluded=uncounted(excluded, cast.votes))


def uncounted(excluded: tuple[str, ...], votes: Mapping[str, Vote]) -> tuple[str, ...]:
    """Return the motions that a ballot counts for nothing.

    They are those that its voter is excluded from, and those that it leaves without an answer, since a
    proxy's mandate doesn't cover them.
    """
    unanswered = {motion for motion, vote in votes.items() if vote == ()}
    return tuple(sorted(unanswered.union(excluded)))


def _verify_known(change: Change, meeting: Meeting) -> None:
    motions = {motion.id for motion in meeting.motions}
    for side in (change.before, change.after):
        if side is None:
            continue
        if any(claim.cls not in meeting.class_index for claim in side.claims):
            raise Refused("ROLL_CLASS", change.sub)
        if not set(side.excluded) <= motions:
            raise Refused("ROLL_CLASS", change.sub)


def _indexes(side: Entitlement | None, meeting: Meeting) -> list[object]:
    if side is None:
        return []
    claims = [list(claim) for claim in claim_indexes(side.claims, meeting)]
    return [claims, *([list(motion_indexes(side.excluded, meeting))] if side.excluded else [])]


# The figures by (kind, motion, class), [heads, fen] each: the whole roll, the excluded, the disputed.
_Cells = dict[tuple[str, str, str], list[int]]


def _cells(roll: RollSummary) -> _Cells:
    cells: _Cells = {("all", "", EVERYBODY): [roll.heads, roll.fen]}
    cells |= {("all", "", entry.cls): [entry.heads, entry.fen] for entry in roll.classes}
    cells |= {("excluded", part.motion, part.cls): [part.heads, part.fen] for part in roll.excluded}
    cells |= {("disputed", part.motion or "", part.cls): [part.heads, part.fen] for part in roll.disputed}
    return cells


def _count(cells: _Cells, side: Entitlement | None, sign: int) -> None:
    if side is None:
        return
    disputed = [claim for claim in side.claims if claim.decision]
    kinds = [("all", "", side.claims, 1), *(("excluded", one, side.claims, 1) for one in side.excluded)]
    if disputed:
        only = int(len(disputed) == len(side.claims))
        # Once for the whole, and once for each motion that excludes them besides: nobody is taken away twice.
        kinds += [("disputed", motion, tuple(disputed), only) for motion in ("", *side.excluded)]
    for kind, motion, claims, heads in kinds:
        lines = [(EVERYBODY, heads, sum(claim.fen for claim in claims))]
        for cls, lenders, fen in lines + [(claim.cls, 1, claim.fen) for claim in claims]:
            cell = cells.setdefault((kind, motion, cls), [0, 0])
            cell[0] += sign * lenders
            cell[1] += sign * fen


def _verify_figures(cells: _Cells, classes: list[str]) -> None:
    """Refuse (AMENDMENT_CLAIMS) totals that no roll can have."""
    heads, fen = cells["all", "", EVERYBODY]
    if not 1 <= heads <= fen <= MAX_INTEGER or heads > sum(cells["all", "", cls][0] for cls in classes):
        raise Refused("AMENDMENT_CLAIMS", f"the roll would have {heads} lenders and {fen} fen")
    for (kind, motion, cls), cell in cells.items():
        lenders, amount = cell
        within = cells["all", "", EVERYBODY if kind == "all" else cls]
        floor = 0 if (kind, cls) == ("disputed", EVERYBODY) else min(amount, 1)
        if not floor <= lenders <= min(amount, within[0]) or not 0 <= amount <= within[1]:
            raise Refused(
                "AMENDMENT_CLAIMS", f"{kind} {motion} {cls}: {lenders} lenders and {amount} fen of {within}"
            )
