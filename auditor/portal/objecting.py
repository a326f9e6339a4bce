"""Objections at the second door: taken with the Regulator's signed word, and brought to the channel."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from auditor.log.service_db import ObjectionBook, TakenObjection
from auditor.log.service_db.taken import ACCEPTED, QUEUED, REFUSED
from auditor.portal.errors import NotCarried, PortalRefused
from auditor.replay.mandates import verify_signed
from auditor.replay.objections import MAX_OBJECTIONS
from client.encodings import certificates, times
from client.encodings.errors import Refused
from client.encodings.objection import parse_objection
from client.encodings.objection_ack import ObjectionAcknowledgement, sign_objection_acknowledgement

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from auditor.log.service_db import ServiceDatabase
    from auditor.portal.door import DoorKey
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.watch import Watcher
    from client.encodings.objection import SignedObjection

_LOG = logging.getLogger(__name__)
BOUND: Final = 1000
"""Objections at a meeting that may be on their way before the door asks to come back later."""
EACH: Final = MAX_OBJECTIONS
"""Objections that this door takes of one lender at one meeting: the channel takes no more by both doors."""
_AT_ONCE: Final = 50
_GOES_ON: Final = ("announced", "open", "closing", "closed", "objections")
"""States of a meeting in which the chaincode takes objections."""
_RETRY_SECONDS: Final = 15
_WAITING: Final = frozenset({"ENROLMENT_NOT_FOUND"})
"""Codes of what an endorser doesn't know yet, and may later."""


@dataclass(frozen=True, slots=True)
class Filed:
    """The door's answer: its acknowledgement, and what became of the objection so far."""

    obj: str
    digest: str
    time: str
    acknowledgement: str
    status: str
    code: str = ""
    tx: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"v": 1} | {name: getattr(self, name) for name in self.__slots__}


class ObjectionRoad(Protocol):
    """The way of objections to a channel's chaincode."""

    def file(self, channel: str, objection: str, time: str) -> str:
        """Bring an objection that the door had at `time` into a block; return the transaction's id.

        Raise NotCarried, with the code where the chaincode refused it.
        """
        ...


class ObjectionDoor:
    """Takes objections of every meeting of the verified channels. Thread-safe.

    Acknowledgement and objection are durable together before anybody is answered.
    """

    def __init__(
        self,
        watcher: Watcher,
        database: ServiceDatabase,
        key: DoorKey,
        *,
        clock: Callable[[], datetime],
        bound: int = BOUND,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`taken` is called after each acknowledgement, to wake whoever carries."""
        self.key = key
        self._watcher = watcher
        self._database = database
        self._clock = clock
        self._bound = bound
        self._taken = taken

    def accept(self, facts: MeetingFacts, compact: str) -> Filed:
        """Acknowledge an objection; the same one (by digest) gets the same word again.

        Refused with the codes of FileObjection; PortalRefused with DOOR_BUSY, DOOR_CLOSED, or OBJECTIONS_MANY
        beyond what the door takes of one lender. Then nothing was stored.
        """
        signed = parse_objection(compact)
        self._verify_signed(facts, signed)
        known = self.find(facts, signed.objection.obj)
        if known is not None and known.digest == signed.digest:
            return known
        if self._watcher.behind or self._watcher.broken(facts.channel):
            raise PortalRefused("DOOR_CLOSED", retry_after=_RETRY_SECONDS)
        filed = self._take(facts, signed)
        self._taken()
        return filed

    def find(self, facts: MeetingFacts, obj: str) -> Filed | None:
        """Return the word given for an objection, None where none was."""
        with self._database.read() as connection:
            row = ObjectionBook(connection).find(facts.channel, facts.mtg, obj)
        return None if row is None else self._filed(row)

    def _verify_signed(self, facts: MeetingFacts, signed: SignedObjection) -> None:
        said = signed.objection
        if (said.mtg, said.mh) != (facts.mtg, facts.meeting.mh):
            raise Refused("OBJECTION_MEETING", facts.meeting.mh)
        enrolment = self._watcher.enrolment(said.sub)
        if enrolment is None:
            raise Refused("ENROLMENT_NOT_FOUND")
        verify_signed(signed, enrolment, facts.meeting)

    def _take(self, facts: MeetingFacts, signed: SignedObjection) -> Filed:
        said = signed.objection
        with self._database.write() as connection:
            book = ObjectionBook(connection)
            book.lock(facts.channel, facts.mtg)
            again = book.find(facts.channel, facts.mtg, said.obj)
            if again is not None and again.digest == signed.digest:
                return self._filed(again)
            on_chain = self._watcher.objection(facts.channel, facts.mtg, said.obj)
            if again is not None or (on_chain is not None and on_chain.signed.digest != signed.digest):
                raise Refused("OBJECTION_EXISTS", said.obj)
            queued, filed = book.waiting(facts.channel, facts.mtg, said.sub)
            if queued >= self._bound:
                raise PortalRefused("DOOR_BUSY", retry_after=_RETRY_SECONDS)
            if filed >= EACH:
                raise PortalRefused("OBJECTIONS_MANY")
            time = times.form(int(self._clock().timestamp()))
            if on_chain is None:
                _verify_in_time(facts, time)
            ack = ObjectionAcknowledgement(
                facts.meeting.mh, facts.mtg, said.obj, signed.digest, self.key.msp, time
            )
            x5t = certificates.thumbprint(self.key.certificate)
            word = sign_objection_acknowledgement(ack, x5t, self.key.key)
            row = TakenObjection(
                channel=facts.channel,
                mtg=facts.mtg,
                obj=said.obj,
                digest=signed.digest,
                sub=said.sub,
                jws=signed.compact,
                ack_time=time,
                ack=word.compact,
            )
            book.add(row)
        return self._filed(row)

    def _filed(self, row: TakenObjection) -> Filed:
        """Return the word for a row; what the replay has of it prevails over what was noted."""
        status, code, tx = row.status, row.code, row.tx
        on_chain = self._watcher.objection(row.channel, row.mtg, row.obj)
        if on_chain is not None and on_chain.signed.digest == row.digest:
            status, code, tx = ACCEPTED, "", on_chain.tx
        return Filed(row.obj, row.digest, row.ack_time, row.ack, status, code, tx)


class ObjectionCarrier:
    """Brings objections that are on their way to the channels. Repeating is harmless: each is filed once."""

    def __init__(self, watcher: Watcher, database: ServiceDatabase, road: ObjectionRoad) -> None:
        self._watcher = watcher
        self._database = database
        self._road = road

    def carry(self) -> int:
        """Try once those that were tried least; return how many of them are still on their way."""
        with self._database.read() as connection:
            rows = ObjectionBook(connection).queued(_AT_ONCE)
        return sum(self._carry(row) for row in rows)

    def _carry(self, row: TakenObjection) -> bool:
        """Try one; say whether it is still on its way."""
        status, code, tx = QUEUED, "", ""
        on_chain = self._watcher.objection(row.channel, row.mtg, row.obj)
        if on_chain is not None and on_chain.signed.digest == row.digest:
            status, tx = ACCEPTED, on_chain.tx
        else:
            try:
                status, tx = ACCEPTED, self._road.file(row.channel, row.jws, row.ack_time)
            except NotCarried as error:
                _LOG.warning("an objection was not carried: %s", error.code or "no way to the channel")
                if error.code and error.code not in _WAITING:
                    status, code = REFUSED, error.code
        with self._database.write() as connection:
            ObjectionBook(connection).settle(row, status, code=code, tx=tx)
        return status == QUEUED


def _verify_in_time(facts: MeetingFacts, time: str) -> None:
    if facts.state not in _GOES_ON:
        raise Refused("MEETING_STATE", facts.state)
    if times.parse(time) > times.parse(facts.meeting.objections_until):
        raise Refused("OBJECTION_LATE", time)
