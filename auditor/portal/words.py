"""What another door's signed acknowledgement says against what that door said before: numbers and times.

A door gives each number once, to one ballot, at one time, and its times rise with its numbers. Two of its
words that can't both be true prove that it gave one of them falsely, whichever that is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from auditor.alarm import Alarm
from auditor.log.service_db import KeptWord, WordBook
from auditor.portal.errors import PortalRefused
from client.encodings import times

if TYPE_CHECKING:
    from auditor.log.service_db import ServiceDatabase
    from auditor.portal.brought import Brought
    from auditor.portal.facts import MeetingFacts
    from auditor.view import ChainBallot
    from client.encodings.acknowledgement import SignedAcknowledgement

_LOG = logging.getLogger(__name__)
CONTRADICTED: Final = "contradicted-acknowledgement"
SLACK: Final = 60
"""Seconds by which a door's time may fall as its numbers rise: its hosts' clocks differ."""


@dataclass(frozen=True, slots=True)
class Words:
    """The other doors' acknowledgements that were handed in, each held against all. Thread-safe."""

    database: ServiceDatabase
    _reviewed: set[tuple[str, str]] = field(default_factory=set, init=False)

    def take(self, facts: MeetingFacts, signed: SignedAcknowledgement) -> None:
        """Keep a door's word, whose signature is verified; what becomes of its ballot doesn't matter.

        Refuse with ACK_CONTRADICTED where the same door said otherwise, on the channel or in a word that was
        handed in; then the pair is kept, and an alarm.
        """
        word = signed.ack
        kept = KeptWord(word.door, word.no, word.seconds, word.digest, signed.compact)
        with self.database.write() as connection:
            book = WordBook(connection, facts.channel, facts.mtg)
            book.lock()
            with facts.brought() as brought:
                other = _on_channel(brought, kept)
            said = _brought(other) if other is not None else _handed_in(book.contradicting(kept, SLACK))
            against = book.keep(kept, said)
        if against:
            _LOG.warning("%s", _where(facts, kept, against))
            raise PortalRefused("ACK_CONTRADICTED")

    def contradictions(self, facts: MeetingFacts) -> list[dict[str, Any]]:
        """Return the pairs, in order of door and number: `acknowledgement`, and what it stands `against`."""
        return [{"acknowledgement": kept.ack, "against": against} for kept, against in self._pairs(facts)]

    def alarms(self, facts: MeetingFacts) -> tuple[Alarm, ...]:
        """Return an alarm for each door with contradictions. No digest is in it: anybody may read it."""
        self._review(facts)
        first: dict[str, tuple[str, int]] = {}
        for kept, against in self._pairs(facts):
            where, count = first.get(kept.door, (_where(facts, kept, against), 0))
            first[kept.door] = (where, count + 1)
        return tuple(
            Alarm(CONTRADICTED, facts.channel, door, where, count) for door, (where, count) in first.items()
        )

    def _review(self, facts: MeetingFacts) -> None:
        """Hold words taken while the meeting was open against what their doors brought after them, once.

        From then on no other door brings anything, so that a word is held against everything as it comes.
        """
        if facts.state == "open" or (facts.channel, facts.mtg) in self._reviewed:
            return
        with self.database.write() as connection:
            book = WordBook(connection, facts.channel, facts.mtg)
            for word in book.standing():
                with facts.brought() as brought:
                    other = _on_channel(brought, word)
                if other is not None:
                    book.keep(word, _brought(other))
        self._reviewed.add((facts.channel, facts.mtg))

    def _pairs(self, facts: MeetingFacts) -> list[tuple[KeptWord, dict[str, Any]]]:
        with self.database.read() as connection:
            return WordBook(connection, facts.channel, facts.mtg).contradicted()


def _on_channel(brought: Brought, word: KeptWord) -> ChainBallot | None:
    """Return a ballot that the word's door brought under a number and time that contradict the word.

    The time of a refused entry is only claimed there and orders nothing, as it fills no gap in an audit.
    """
    same = brought.of(word.digest)
    own = [same] if same is not None and same.door == word.door else []
    for one in (*own, *brought.under(word.door, word.number)):
        if _said(one) != _said_by(word):
            return one
    low, high = word.seconds - SLACK, word.seconds + SLACK
    return brought.out_of_order(word.door, word.number, low=low, high=high)


def _said(ballot: ChainBallot) -> tuple[int, str, str]:
    return (ballot.ack_no, ballot.digest, ballot.ack_time)


def _said_by(word: KeptWord) -> tuple[int, str, str]:
    return (word.number, word.digest, times.form(word.seconds))


def _brought(ballot: ChainBallot) -> dict[str, Any]:
    names = ("tx", "block", "digest", "ack_no", "ack_time")
    return {name: getattr(ballot, name) for name in names}


def _handed_in(word: KeptWord | None) -> dict[str, Any]:
    return {} if word is None else {"acknowledgement": word.ack, "ack_no": word.number}


def _where(facts: MeetingFacts, word: KeptWord, against: dict[str, Any]) -> str:
    if "tx" in against:
        place = f"block {against['block']} transaction {against['tx']}"
    else:
        place = "acknowledgement handed in"
    return (
        f"{facts.channel}: {facts.mtg}: number {word.number} of {word.door} against number "
        f"{against['ack_no']}, {place}"
    )
