"""A meeting's figures, kept beside the replay and renewed by what is new: nothing is counted twice.

They are a convenience of the pages and part of no verdict; they are durable with the checkpoint that they
belong to, so that a service that starts again counts nothing again either.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, cast

from auditor.anchors import wrong_anchors
from auditor.portal.brought import rising
from auditor.portal.outcomes import outcomes_of
from auditor.portal.state import voters
from auditor.store import TEXT, read_ahead
from auditor.view import numbered_as
from auditor.weights import Weights
from client.encodings import jcs, times

if TYPE_CHECKING:
    from auditor.replay.meetings import MeetingState
    from auditor.store import Store, Table
    from auditor.view import ChainBallot

CLOSED: Final = ("closed", "objections", "certified")
_CHUNK: Final = 1000


@dataclass(slots=True)
class Figures:
    """Ballots and fen that stand, as of row `rows` of the accepted ballots and amendment `amended`.

    `second_door` counts accepted ballots of the Regulator's door, `last_number` is its highest number, as of
    row `numbers`; `motions` what the result `result` came to; `wrong` (step, where, reason) which of the
    anchors `anchored` are.
    """

    rows: int = 0
    numbers: int = 0
    amended: int = 0
    ballots: int = 0
    fen: int = 0
    second_door: int = 0
    last_number: int = 0
    result: str = ""
    motions: list[dict[str, Any]] = field(default_factory=list)
    anchored: str = ""
    wrong: list[tuple[int, str, str]] = field(default_factory=list)

    @classmethod
    def renewed(cls, store: Store, channel: str, state: MeetingState, regulator: str) -> Self:
        """Return the figures as of what a store's verifier has now, and keep them in the store."""
        kept = store.table("portal/figures", TEXT)
        name = f"{channel}/{state.record.mtg}"
        before = kept.get(name)
        figures = cls(**json.loads(before)) if before is not None else cls()
        figures.renew(store, channel, state, regulator)
        text = json.dumps(asdict(figures))
        if text != before:
            kept[name] = text
        return cls(**json.loads(text))

    def renew(self, store: Store, channel: str, state: MeetingState, regulator: str) -> None:
        """Take over what is new."""
        self._accepted(store, channel, state, regulator)
        self._numbered(state, regulator)
        self._anchored(state)
        if state.state in CLOSED and state.result:
            self._decided(state)

    def _accepted(self, store: Store, channel: str, state: MeetingState, regulator: str) -> None:
        table = cast("Table[ChainBallot]", state.accepted)
        known = cast("Table[str]", voters(store, channel, state.record.mtg))
        given = rising(store, channel, state.record.mtg)
        while chunk := table.after(self.rows, _CHUNK):
            known.read_ahead(ballot.sub for _, _, ballot in chunk)
            read_ahead(state.numbered, (_number(ballot) for _, _, ballot in chunk))
            for _, digest, ballot in chunk:
                before = known.get(ballot.sub)
                known[ballot.sub] = digest if before is None else f"{before} {digest}"
                if state.numbered.get(_number(ballot)) == digest:
                    given.add(ballot.door, ballot.ack_no, times.parse(ballot.ack_time))
                self.second_door += ballot.door == regulator
                # What a lender's claims are, only an amendment changes: a later ballot counts with the same.
                claims = jcs.loads(ballot.claims.encode()) if before is None else ()
                self.ballots += bool(claims)
                self.fen += sum(claim["fen"] for claim in claims)
            self.rows = chunk[-1][0]
            store.flush()
        if state.overlay.number != self.amended:
            self.amended = state.overlay.number
            self._recount(state)

    def _recount(self, state: MeetingState) -> None:
        counted, self.ballots = Weights(), 0
        for one in state.counted():
            counted.add(one.claims)
            self.ballots += 1
        self.fen = counted.of("all", "fen")

    def _numbered(self, state: MeetingState, regulator: str) -> None:
        table = cast("Table[str]", state.numbers)
        while chunk := table.after(self.numbers, _CHUNK):
            for _, text, _ in chunk:
                door, number = text.split(" ")
                if door == regulator:
                    self.last_number = max(self.last_number, int(number))
            self.numbers = chunk[-1][0]

    def _anchored(self, state: MeetingState) -> None:
        if not state.anchors:
            return
        most = max(anchor.size for anchor in state.anchors)
        named = json.dumps([min(self.rows, most), [one.as_json() for one in state.anchors]])
        if (digest := hashlib.sha256(named.encode()).hexdigest()) != self.anchored:
            found = wrong_anchors(state.record.mtg, state.anchors, state.accepted.values())
            self.wrong = [(one.step, one.where, one.reason) for one in found]
            self.anchored = digest

    def _decided(self, state: MeetingState) -> None:
        if (digest := hashlib.sha256(state.result).hexdigest()) != self.result:
            self.motions, self.result = list(outcomes_of(state)), digest


def _number(ballot: ChainBallot) -> str:
    return numbered_as(ballot.door, ballot.ack_no)
