"""One attempt at delivering a batch, from asking after earlier attempts to writing the verdicts down."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from client.platform.chain import VALID
from client.platform.verdicts import Verdicts, VerdictsError
from client.relay.errors import BatchRefused, OutcomeLost, RouteDown
from client.relay.outbox import Outcome
from client.relay.reads import voters_moved
from client.relay.route import MVCC_READ_CONFLICT, Held, Settled
from client.relay.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.relay.batch import Parcel
    from client.relay.failover import Failover
    from client.relay.outbox import Outbox
    from client.relay.route import Endorsed, Route

_log = logging.getLogger(__name__)
_BACKOFF = (0.2, 0.5, 1.0, 2.0, 4.0)
_MAY_COME = 600.0  # seconds after which no orderer has a transaction any more: theirs forget in a third of it

# Said of a whole batch, and of each part of it all the same: waiting may help, splitting never does.
WAITS = frozenset({"MEETING_NOT_OPEN", "MEETING_NOT_FOUND", "MEETING_STATE", "NOT_AUTHORISED"})


class Delivery:
    """Delivers batches of one outbox. It keeps no state: any call may be the last.

    Exactly once rests on three things: chaincode counts a digest once, a transaction's id is written down
    before it is sent, and a ballot leaves the outbox only with the validation code of the transaction
    that holds it.
    """

    def __init__(
        self,
        outbox: Outbox,
        failover: Failover,
        watch: Watch | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._outbox = outbox
        self._failover = failover
        self._watch = watch or Watch()
        self._wall = wall

    def attempt(self, parcel: Parcel) -> bool:
        """Try once; return whether the chain has spoken on the whole batch."""
        try:
            if self._settled_earlier(parcel):
                return True
            endorsed = self._failover.call(lambda route: route.endorse(parcel.encode()))
            verdicts = Verdicts.parse(endorsed.verdicts, len(parcel.items))
        except RouteDown as error:
            return self._later(parcel, "route", f"no gateway delivers: {error}")
        except VerdictsError as error:
            return self._later(parcel, "verdicts", str(error))
        except BatchRefused as refusal:
            return self._refused(parcel, refusal)
        self._outbox.sending(parcel, endorsed.tx, endorsed.verdicts)
        return self._send(parcel, endorsed, verdicts)

    def _send(self, parcel: Parcel, endorsed: Endorsed, verdicts: Verdicts) -> bool:
        try:
            settled = endorsed.send()
        except OutcomeLost as error:
            return self._later(parcel, "lost", f"the outcome of {endorsed.tx} is unknown: {error}")
        self._outbox.learned(settled.tx, settled.code, settled.block)
        if settled.code == VALID:
            return self._settle(parcel, verdicts, settled)
        if settled.code == MVCC_READ_CONFLICT and len(parcel.items) > 1:
            self._part(parcel, endorsed)
            return False
        return self._later(parcel, "invalid", f"{settled.tx} is invalid: {settled.code}")

    # -- what is known of earlier transactions --------------------------------------------------------

    def _settled_earlier(self, parcel: Parcel) -> bool:
        """Ask after transactions whose outcome was lost; return whether one of them settled the batch."""
        self._ask_after(parcel)
        ballots = tuple(item.ballot for item in parcel.items)
        for attempt in self._outbox.attempts(parcel):
            if attempt.code == VALID and attempt.block is not None and attempt.ballots == ballots:
                settled = Settled(attempt.tx, attempt.block, attempt.code)
                return self._settle(parcel, Verdicts.parse(attempt.verdicts, len(ballots)), settled)
        return False

    def _ask_after(self, parcel: Parcel) -> None:
        for attempt in self._outbox.attempts(parcel):
            if attempt.code is None:
                settled = self._failover.call(_asking(attempt.tx))
                if settled is not None:
                    self._outbox.learned(settled.tx, settled.code, settled.block)

    def _carriers(self, parcel: Parcel) -> dict[int, Settled]:
        """Return, for each ballot that an earlier valid transaction accepted, that transaction."""
        self._ask_after(parcel)
        carriers = {}
        for attempt in self._outbox.attempts(parcel):
            if attempt.code == VALID and attempt.block is not None:
                verdicts = Verdicts.parse(attempt.verdicts, len(attempt.ballots))
                for index, ballot in enumerate(attempt.ballots):
                    if verdicts.accepts(index):
                        carriers[ballot] = Settled(attempt.tx, attempt.block, attempt.code)
        return carriers

    # -- writing down what the chain said -------------------------------------------------------------

    def _settle(self, parcel: Parcel, verdicts: Verdicts, settled: Settled) -> bool:
        """Settle every ballot of the batch by the verdicts of a valid transaction."""
        committed: list[tuple[int, str, int | None]] = []
        refused, pending = [], []
        carriers = self._carriers(parcel) if verdicts.held or verdicts.refused else {}
        for index in sorted({*verdicts.held, *verdicts.refused, *verdicts.pending}):
            item = parcel.items[index]
            if index in verdicts.pending:
                pending.append((item.ballot, verdicts.pending[index]))
            elif item.ballot in carriers:
                # Ours from before; if refused now, then because something newer has replaced it since.
                carrier = carriers[item.ballot]
                committed.append((item.ballot, carrier.tx, carrier.block))
            elif index in verdicts.held:
                committed.append((item.ballot, *self._find(parcel.mtg, item.ballot, item.sub, settled)))
            else:
                refused.append((item.ballot, verdicts.refused[index]))
        accepted = (settled.tx, settled.block)
        self._outbox.settle(parcel, Outcome(committed, refused, pending, others=accepted))
        self._watch.settled(self._wall() - parcel.claimed_at, verdicts.count())
        return True

    def _find(self, mtg: str, ballot: int, sub: str, settled: Settled) -> tuple[str, int | None]:
        """Return transaction and block of a ballot that somebody else's transaction holds."""
        try:
            held: Held | None = self._failover.call(lambda route: route.held(mtg, sub))
            if held is not None and held.digest == self._outbox.digest(ballot):
                found = self._failover.call(lambda route: route.settled(held.tx))
                return held.tx, found.block if found else None
        except RouteDown:
            _log.warning("where the held ballot %d stands could not be asked", ballot)
        # It is held for certain: this transaction says so, whichever one wrote it.
        return settled.tx, settled.block

    # -- trying again ---------------------------------------------------------------------------------

    def _later(self, parcel: Parcel, reason: str, why: str) -> bool:
        delay = _BACKOFF[min(parcel.attempts, len(_BACKOFF) - 1)]
        _log.info("batch %s of %d ballots: %s; again in %.1f s", parcel.id, len(parcel.items), why, delay)
        self._watch.retried(reason)
        self._outbox.again(parcel, delay)
        return False

    def _refused(self, parcel: Parcel, refusal: BatchRefused) -> bool:
        self._watch.retried("refused")
        if refusal.code in WAITS or len(parcel.items) == 1:
            _log.warning("batch %s: %s", parcel.id, refusal)
            return self._put_back(parcel, refusal.code)
        middle = len(parcel.items) // 2
        ballots = [item.ballot for item in parcel.items]
        self._outbox.split(parcel, [ballots[:middle], ballots[middle:]])
        return False

    def _put_back(self, parcel: Parcel, code: str) -> bool:
        """Put ballots back into the queue, but for those that an earlier transaction brought.

        One of unknown outcome may be in a block that the peer asked hasn't got yet. It is the batch that
        remembers it, so the batch stays whole for as long as it may come.
        """
        try:
            carriers = self._carriers(parcel)
        except RouteDown as error:
            return self._later(parcel, "route", f"no gateway tells of earlier transactions: {error}")
        if any(one.code is None and one.age < _MAY_COME for one in self._outbox.attempts(parcel)):
            return self._later(parcel, "lost", f"{code}, and the outcome of a transaction is unknown")
        committed = [
            (ballot, carrier.tx, carrier.block)
            for ballot, carrier in carriers.items()
            if ballot in {item.ballot for item in parcel.items}
        ]
        pending = [(item.ballot, code) for item in parcel.items if item.ballot not in carriers]
        self._outbox.settle(parcel, Outcome(committed, pending=pending))
        return not pending

    def _part(self, parcel: Parcel, before: Endorsed) -> None:
        """After a conflict, part the voters whose records moved on, so that they hold up nobody else.

        Where no voter's did (the meeting's own record, say), or nobody can tell, the batch stays whole:
        halving it would help nobody.
        """
        self._watch.retried("conflict")
        try:
            after = self._failover.call(lambda route: route.endorse(parcel.encode()))
        except (RouteDown, BatchRefused):
            moved = set[str]()
        else:
            moved = voters_moved(before.reads(), after.reads(), {item.sub for item in parcel.items})
        calm = [item.ballot for item in parcel.items if item.sub not in moved]
        if moved and calm:
            others = [item.ballot for item in parcel.items if item.sub in moved]
            self._outbox.split(parcel, [calm, others])
        else:
            self._outbox.again(parcel, 0.0 if parcel.attempts == 0 else _BACKOFF[0])


def _asking(tx: str) -> Callable[[Route], Settled | None]:
    return lambda route: route.settled(tx)
