"""Carrying the second door's ballots to the channel, until each was accepted or refused there."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from auditor.errors import AuditUnavailable
from auditor.log.service_db import DoorBook
from auditor.log.service_db.taken import ACCEPTED, REFUSED, outstanding
from auditor.portal.errors import NotCarried
from auditor.portal.facts import CLOSED
from auditor.replay.claimed import ResponseMalformedError, parse_claimed
from client.encodings.batch import encode_batch
from client.encodings.codes import CODES
from client.gateway import EndorseError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.log.service_db import ServiceDatabase, TakenBallot
    from auditor.portal.watch import Watcher
    from auditor.replay.claimed import Claimed
    from client.gateway import Gateway

_LOG = logging.getLogger(__name__)
MOST: Final = 200
"""Ballots of one batch: far below 4 MB even where each is carried whole."""
_CODE: Final = re.compile(r"\b([A-Z][A-Z_]{3,40}): ")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a batch's transaction answered; `tx` is empty where nothing had to be sent."""

    tx: str
    claims: Claimed


class Road(Protocol):
    """The way to a channel's chaincode."""

    def submit(self, channel: str, batch: bytes, count: int) -> Carried:
        """Bring a batch of `count` ballots into a block; raise NotCarried."""
        ...


class GatewayRoad:
    """The Regulator's relay at the gateway of its own peer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def submit(self, channel: str, batch: bytes, count: int) -> Carried:
        """Have the batch endorsed, and sent if there is a verdict to write down."""
        contract = self._gateway.network(channel).contract("arbitration")
        try:
            transaction = contract.new_proposal("SubmitBallots", arguments=[batch]).endorse()
            claims = parse_claimed(transaction.result)
            verdicts = claims.verdicts
            if len(verdicts) == count and all(one.kind in ("held", "pending") for one in verdicts.values()):
                return Carried("", claims)
            status = transaction.submit().status()
        except EndorseError as error:
            raise NotCarried(str(error), _refusal(error)) from error
        except (GatewayError, ResponseMalformedError) as error:
            raise NotCarried(str(error)) from error
        if not status.successful:
            raise NotCarried(f"the transaction was invalid: {status.code_name}")
        return Carried(status.transaction_id, claims)

    def file(self, channel: str, objection: str, time: str) -> str:
        """File an objection; return the transaction's id."""
        contract = self._gateway.network(channel).contract("arbitration")
        try:
            proposal = contract.new_proposal("FileObjection", arguments=[objection, time])
            status = proposal.endorse().submit().status()
        except EndorseError as error:
            raise NotCarried(str(error), _refusal(error)) from error
        except GatewayError as error:
            raise NotCarried(str(error)) from error
        if not status.successful:
            raise NotCarried(f"the transaction was invalid: {status.code_name}")
        return status.transaction_id


def _refusal(error: GatewayError) -> str:
    """Return the registry's code in the chaincode's own answer, "" where it didn't answer."""
    for text in (*error.chaincode_messages, *(detail.message for detail in error.details), error.message):
        for match in _CODE.finditer(text):
            if match[1] in CODES:
                return match[1]
    return ""


class Carrier:
    """Brings what is on its way to the channels. Repeating is harmless: a ballot counts once."""

    def __init__(
        self,
        watcher: Watcher,
        database: ServiceDatabase,
        road: Road,
        *,
        most: int = MOST,
        also: Callable[[], int] = lambda: 0,
    ) -> None:
        """`also` carries what else there is, and returns how much of it is still on its way."""
        self._also = also
        self._most = most
        self._watcher = watcher
        self._database = database
        self._road = road
        self._wake = threading.Event()

    def wake(self) -> None:
        """Say that there is something to carry."""
        self._wake.set()

    def run(self, stop: threading.Event, seconds: float = 2.0) -> None:
        """Carry until told to stop, every `seconds` and whenever woken."""
        while not stop.is_set():
            self._wake.wait(seconds)
            self._wake.clear()
            try:
                self.carry()
            except AuditUnavailable as error:
                _LOG.warning("nothing was carried: %s", error.message)

    def carry(self) -> int:
        """Try once what is on its way; return how much is still on it."""
        with self._database.read() as connection:
            waiting = outstanding(connection)
        left = 0
        for channel, mtg, count in waiting:
            left += count - self._carry_meeting(channel, mtg)
        return left + self._also()

    def _carry_meeting(self, channel: str, mtg: str) -> int:
        with self._database.read() as connection:
            rows = DoorBook(connection, channel, mtg).queued(self._most)
        settled = self._settle_by_chain(channel, mtg, rows)
        rows = [row for row in rows if row.number not in settled]
        if not rows:
            return len(settled)
        # Noted before the attempt: whatever ends it, others come first the next time.
        with self._database.write() as connection:
            DoorBook(connection, channel, mtg).tried(row.number for row in rows)
        try:
            carried = self._road.submit(channel, encode_batch(mtg, [row.entry for row in rows]), len(rows))
        except NotCarried as error:
            return len(settled) + self._not_carried(channel, mtg, rows, error)
        return len(settled) + self._note(channel, mtg, rows, carried)

    def _settle_by_chain(self, channel: str, mtg: str, rows: list[TakenBallot]) -> set[int]:
        """Settle what the service's own replay has already: brought by another, or after a lost answer."""
        facts = self._watcher.facts.meetings.get((channel, mtg))
        if facts is None:
            return set()
        found = {row.number: facts.accepted.get(row.digest) for row in rows}
        accepted = {number: ballot for number, ballot in found.items() if ballot is not None}
        if accepted:
            with self._database.write() as connection:
                book = DoorBook(connection, channel, mtg)
                for number, ballot in accepted.items():
                    book.settle(number, ACCEPTED, tx=ballot.tx)
        return set(accepted)

    def _not_carried(self, channel: str, mtg: str, rows: list[TakenBallot], error: NotCarried) -> int:
        """Leave everything on its way, but for what can't arrive any more: the meeting takes nothing now."""
        facts = self._watcher.facts.meetings.get((channel, mtg))
        over = facts is not None and facts.state in (*CLOSED, "void")
        _LOG.warning(
            "a batch of %d was not carried: %s", len(rows), error.code or type(error.__cause__).__name__
        )
        if error.code != "MEETING_NOT_OPEN" or not over:
            return 0
        return self._write(channel, mtg, [(row.number, REFUSED, error.code, "") for row in rows])

    def _note(self, channel: str, mtg: str, rows: list[TakenBallot], carried: Carried) -> int:
        outcomes = []
        for index, row in enumerate(rows):
            claim = carried.claims.of(index)
            if claim.kind == "refused":
                outcomes.append((row.number, REFUSED, claim.code, carried.tx))
            elif claim.kind in ("accepted", "held"):
                outcomes.append((row.number, ACCEPTED, "", carried.tx if claim.kind == "accepted" else ""))
        return self._write(channel, mtg, outcomes)

    def _write(self, channel: str, mtg: str, outcomes: list[tuple[int, str, str, str]]) -> int:
        with self._database.write() as connection:
            book = DoorBook(connection, channel, mtg)
            for number, status, code, tx in outcomes:
                book.settle(number, status, code=code, tx=tx)
        return len(outcomes)
