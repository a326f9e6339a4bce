"""Signing tree heads while following: the log continued by what is new, and held against the chain."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from auditor.errors import AuditUnavailable
from auditor.following.announcement import FORK, PEER, Announcement
from auditor.log.errors import LogRefused
from auditor.log.head import TreeHead
from auditor.log.leaf import leaves_of
from auditor.log.publish import extend_log, sign_head
from auditor.log.service_db import LogBook
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.log.head import HeadSigner
    from auditor.log.leaf import LogLeaf
    from auditor.log.service_db import ServiceDatabase
    from auditor.members import Organisation
    from auditor.store import Table
    from auditor.verifier import Verifier
    from auditor.view import ChainBallot, ChainMeeting

_CHUNK: Final = 1000
_CONTRADICTS: Final = frozenset({"LOG_CHAIN", "LOG_ROOT", "LOG_ORDER", "HEAD_FORK", "HEAD_MEETING"})
"""Refusals that say that log and chain, or two heads, can't both be true."""


@dataclass(slots=True)
class Reached:
    """How far a meeting's log is compared with the chain: leaves, the table's row, the channel's height."""

    size: int = 0
    row: int = 0
    height: int = 0


@dataclass(slots=True)
class Signing:
    """Signs a head of each meeting whose channel grew, `every` so many seconds; `clock` gives their time.

    The first time, every leaf that the log has is compared with the chain, later the new ones. Where log and
    chain disagree, nothing is signed and it is a fork; nothing is signed over a channel that failed either.
    """

    database: ServiceDatabase
    signer: HeadSigner
    regulator: Organisation
    every: float
    clock: Callable[[], int] = field(default=lambda: int(time.time()))
    _signed: float = float("-inf")
    _unsigned: set[tuple[str, str]] = field(default_factory=set)
    _reached: dict[tuple[str, str], Reached] = field(default_factory=dict)

    def look(self, verifier: Verifier) -> Iterator[Announcement]:
        """Sign what is due; yield a fork for a log that disagrees, and what kept it from being signed."""
        if time.monotonic() - self._signed < self.every:
            return
        self._signed = time.monotonic()
        for channel in verifier.channels()[1:]:
            for mtg in verifier.meetings(channel):
                meeting = verifier.meeting(channel, mtg)
                if meeting is None or verifier.broken(channel) or verifier.findings(channel, mtg):
                    continue
                try:
                    self._sign(verifier, meeting)
                except (LogRefused, AuditUnavailable) as error:
                    yield from self._not_signed(channel, mtg, error)
                else:
                    self._unsigned.discard((channel, mtg))

    def _not_signed(self, channel: str, mtg: str, error: Exception) -> Iterator[Announcement]:
        where, said = f"log of {mtg}", str(error).partition("\n")[0]
        if isinstance(error, LogRefused) and error.code in _CONTRADICTS:
            yield Announcement(FORK, channel, where, said)
        elif (channel, mtg) not in self._unsigned:
            self._unsigned.add((channel, mtg))
            yield Announcement(PEER, channel, where, f"no head is signed: {said}", passing=True)

    def _sign(self, verifier: Verifier, meeting: ChainMeeting) -> None:
        channel, mtg = meeting.channel, meeting.mtg
        reached = self._reached.get((channel, mtg), Reached())
        height = verifier.height(channel)
        if height == reached.height:
            return
        accepted = cast("Table[ChainBallot]", meeting.accepted)
        leaves = _leaves(mtg, accepted, reached.row)
        size = extend_log(self.database, mtg, leaves, through=height - 1, start=reached.size)
        with self.database.read() as connection:
            root = LogBook(connection, mtg).tree().root(size)
        head = TreeHead(
            mtg=mtg,
            mh=meeting.mh,
            channel=channel,
            size=size,
            root=root,
            block=height - 1,
            block_hash=verifier.head(channel),
            time=times.form(self.clock()),
        )
        sign_head(self.database, head, self.signer, self.regulator)
        self._reached[channel, mtg] = Reached(size, accepted.last_row(), height)


def _leaves(mtg: str, accepted: Table[ChainBallot], row: int) -> Iterator[LogLeaf]:
    """Yield the leaves after a row, which was a block's last and so a transaction's."""

    def ballots() -> Iterator[ChainBallot]:
        last = row
        while chunk := accepted.after(last, _CHUNK):
            yield from (ballot for _, _, ballot in chunk)
            last = chunk[-1][0]

    return leaves_of(mtg, ballots())
