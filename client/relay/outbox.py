"""The transactional outbox: which acknowledged ballots are still on their way, and with whom.

A ballot's row appears in the transaction that acknowledges it and disappears in the one that writes down
what the chain said. Everything the relay must not forget is here, so it may die at any moment.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from client.encodings import times
from client.platform.models import Ballot, Batch, BatchAttempt, OutboxEntry
from client.platform.registers import chunks
from client.platform.times import now, to_text
from client.relay.batch import Item, Limits, Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from client.platform import Database
    from client.platform.times import Clock

_BALLOTS, _OUTBOX = cast("Table", Ballot.__table__), cast("Table", OutboxEntry.__table__)
_RETRY_PENDING = (0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An earlier transaction of a batch: which ballots it carried, what the endorsers said, what is known.

    `age` counts the seconds since it was written down, just before it was sent.
    """

    tx: str
    age: float
    ballots: tuple[int, ...]
    verdicts: str
    code: str | None
    block: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch's settling writes down: ballots by what became of them, and where all others stand."""

    committed: Sequence[tuple[int, str, int | None]] = ()  # (ballot, transaction, block), elsewhere
    refused: Sequence[tuple[int, str]] = ()  # (ballot, code)
    pending: Sequence[tuple[int, str]] = ()  # (ballot, code)
    others: tuple[str, int] | None = None  # (transaction, block) of every ballot not named above


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the outbox is: ballots in it, in flight, their batches; when the oldest was acknowledged."""

    ballots: int
    in_flight: int
    batches: int
    oldest: float | None  # Unix seconds


class Outbox:
    """The outbox of one door for one meeting, as one relay sees it. Thread-safe.

    `relay` names the process across restarts: one that starts again under its name takes its batches
    back at once; another's are taken over when their lease has run out.
    """

    def __init__(
        self,
        database: Database,
        *,
        mtg: str,
        door: str,
        relay: str,
        lease: float = 120.0,
        wall: Callable[[], float] = time.time,
        clock: Clock = now,
    ) -> None:
        self._database = database
        self._mtg = mtg
        self._door = door
        self._relay = relay
        self._lease = lease
        self._wall = wall
        self._clock = clock

    # -- taking ---------------------------------------------------------------------------------------

    def claim(self, limits: Limits) -> Parcel | None:
        """Take the next ballots, oldest first, never two of one voter; None while no batch is ready.

        A voter's later ballot waits until the earlier one is settled.
        """
        with self._database.read() as session:
            due = self._due(session, limits.count, lock=False)
        if not _ready(due, limits, self._wall()):
            return None
        with self._database.write() as session:
            if self._database.is_postgresql:  # where writers don't queue, they lock what they take
                due = self._due(session, limits.count, lock=True)
            # What was due stays due until somebody takes it: nothing comes before an acknowledged ballot.
            parcel = self._form(session, _fitting(due, limits))
            if not parcel.items:
                self._drop_if_empty(session, parcel.id)
                return None
            return parcel

    def resume(self, busy: Collection[str]) -> Parcel | None:
        """Take up a batch that waits for another attempt: one of this relay's, or one whose relay is gone.

        `busy` are the batches that this process is working on already.
        """
        wall = self._wall()
        query = (
            select(Batch)
            .where(Batch.mtg == self._mtg, Batch.door == self._door, Batch.not_before <= wall)
            .where(or_(Batch.relay == self._relay, Batch.lease_until < wall))
            .where(Batch.id.not_in(list(busy)))
            .order_by(Batch.not_before)
            .limit(1)
        )
        with self._database.read() as session:  # so that an idle relay never takes the write lock
            if session.scalars(query).first() is None:
                return None
        with self._database.write() as session:
            if self._database.is_postgresql:
                query = query.with_for_update(skip_locked=True)
            batch = session.scalars(query).first()
            if batch is None:
                return None
            batch.relay, batch.lease_until = self._relay, wall + self._lease
            items = self._items(session, OutboxEntry.batch == batch.id)
            if not items:
                session.delete(batch)
                return None
            return _parcel(batch, items)

    def in_flight(self) -> int:
        """Count the batches that this relay holds."""
        with self._database.read() as session:
            query = select(func.count()).select_from(Batch)
            held = query.where(Batch.mtg == self._mtg, Batch.door == self._door, Batch.relay == self._relay)
            return session.scalar(held) or 0

    def outstanding(self) -> int:
        """Count the acknowledged ballots of this door that the chain hasn't settled."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(OutboxEntry).where(*self._mine())) or 0

    def is_empty(self, *, but_for_parked: bool = False) -> bool:
        """Whether nothing of this door is outstanding, or nothing but what is no longer sent."""
        query = select(OutboxEntry.ballot).where(*self._mine())
        if but_for_parked:
            query = query.where(OutboxEntry.parked.is_(False))
        with self._database.read() as session:
            return session.scalar(query.limit(1)) is None

    def depth(self) -> Depth:
        """Return how full the outbox is."""
        count = select(func.count()).select_from(OutboxEntry).where(*self._mine())
        batches = select(Batch.id).where(Batch.mtg == self._mtg, Batch.door == self._door)
        oldest = select(OutboxEntry.queued_at).where(*self._mine(), OutboxEntry.parked.is_(False))
        with self._database.read() as session:
            identifiers = session.scalars(batches).all()
            flying = select(func.count()).select_from(OutboxEntry)
            return Depth(
                session.scalar(count) or 0,
                session.scalar(flying.where(OutboxEntry.batch.in_(identifiers))) or 0,
                len(identifiers),
                session.scalars(oldest.order_by(OutboxEntry.ballot).limit(1)).first(),
            )

    def digest(self, ballot: int) -> str:
        """Return a ballot's digest."""
        with self._database.read() as session:
            return session.get_one(Ballot, ballot).digest

    # -- attempts -------------------------------------------------------------------------------------

    def sending(self, parcel: Parcel, tx: str, verdicts: bytes) -> None:
        """Write down a transaction before it is sent: after a crash its outcome can be asked for."""
        attempt = BatchAttempt(
            tx=tx,
            root=parcel.root,
            ballots=json.dumps([item.ballot for item in parcel.items]),
            verdicts=verdicts.decode("utf-8"),
            code=None,
            block=None,
            created_at=to_text(self._clock()),
        )
        with self._database.write() as session:
            session.add(attempt)
            renewed = {"lease_until": self._wall() + self._lease}
            session.execute(update(Batch).where(Batch.id == parcel.id).values(renewed))

    def attempts(self, parcel: Parcel) -> list[Attempt]:
        """Return the transactions that this batch, or the one it was split from, was sent in."""
        moment = self._clock().timestamp()
        with self._database.read() as session:
            rows = session.scalars(select(BatchAttempt).where(BatchAttempt.root == parcel.root))
            return [
                Attempt(
                    row.tx,
                    moment - times.parse(row.created_at),
                    tuple(json.loads(row.ballots)),
                    row.verdicts,
                    row.code,
                    row.block,
                )
                for row in rows
            ]

    def learned(self, tx: str, code: str, block: int) -> None:
        """Write down the validation code and block of a transaction sent earlier."""
        with self._database.write() as session:
            session.execute(update(BatchAttempt).where(BatchAttempt.tx == tx).values(code=code, block=block))

    def again(self, parcel: Parcel, delay: float) -> None:
        """Keep the batch together and try it again after `delay` seconds."""
        wall = self._wall()
        with self._database.write() as session:
            values = {"not_before": wall + delay, "lease_until": wall + delay + self._lease}
            query = update(Batch).where(Batch.id == parcel.id)
            session.execute(query.values(attempts=Batch.attempts + 1, **values))

    def split(self, parcel: Parcel, parts: Sequence[Sequence[int]]) -> None:
        """Replace a batch by several, given as lists of ballots; they remember its transactions."""
        with self._database.write() as session:
            for part in parts:
                for chunk in chunks(part):
                    rows = update(OutboxEntry).where(
                        OutboxEntry.batch == parcel.id, OutboxEntry.ballot.in_(chunk)
                    )
                    session.execute(rows.values(batch=None))
                if part:
                    self._form(session, part, parcel)
            self._drop_if_empty(session, parcel.id)

    # -- settling -------------------------------------------------------------------------------------

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        """Write down what the chain said of each ballot; pending ones go back into the queue.

        A ballot that stays pending past its deadline is parked: kept, reported, no longer sent. Nothing
        happens to a ballot that another relay has taken over meanwhile.
        """
        with self._database.write() as session:
            mine = set(self._named(session, parcel, outcome))
            self._commit(session, [entry for entry in outcome.committed if entry[0] in mine])
            self._refuse(session, [entry for entry in outcome.refused if entry[0] in mine])
            self._defer(session, {ballot: code for ballot, code in outcome.pending if ballot in mine})
            if outcome.others is not None:
                tx, block = outcome.others
                rest = select(_OUTBOX.c.ballot).where(_OUTBOX.c.batch == parcel.id)
                values = {"status": "committed", "code": None, "tx": tx, "block": block}
                session.execute(update(_BALLOTS).where(_BALLOTS.c.id.in_(rest)).values(values))
                session.execute(delete(_OUTBOX).where(_OUTBOX.c.batch == parcel.id))
            self._drop_if_empty(session, parcel.id)

    def _named(self, session: Session, parcel: Parcel, outcome: Outcome) -> Iterable[int]:
        """Return the ballots of a batch as it is now, where the outcome names any."""
        if not (outcome.committed or outcome.refused or outcome.pending):
            return ()
        return session.scalars(select(OutboxEntry.ballot).where(OutboxEntry.batch == parcel.id))

    def _commit(self, session: Session, committed: Sequence[tuple[int, str, int | None]]) -> None:
        values: list[dict[str, object]] = [
            {"ballot": ballot, "status": "committed", "code": None, "tx": tx, "block": block}
            for ballot, tx, block in committed
        ]
        self._write(session, values)
        self._take_out(session, [ballot for ballot, _, _ in committed])

    def _refuse(self, session: Session, refused: Sequence[tuple[int, str]]) -> None:
        self._write(
            session, [{"ballot": ballot, "status": "refused", "code": code} for ballot, code in refused]
        )
        self._take_out(session, [ballot for ballot, _ in refused])

    def _defer(self, session: Session, codes: Mapping[int, str]) -> None:
        moment, wall = self._clock().timestamp(), self._wall()
        query = select(OutboxEntry.ballot, OutboxEntry.attempts, OutboxEntry.deadline)
        rows = [
            {
                "row": ballot,
                "batch": None,
                "attempts": attempts + 1,
                "not_before": wall + _RETRY_PENDING[min(attempts, len(_RETRY_PENDING) - 1)],
                "parked": moment > deadline,
            }
            for chunk in chunks(codes)
            for ballot, attempts, deadline in session.execute(query.where(OutboxEntry.ballot.in_(chunk)))
        ]
        if rows:
            back = update(_OUTBOX).where(_OUTBOX.c.ballot == bindparam("row"))
            session.connection().execute(back, rows)
        self._write(
            session, [{"ballot": ballot, "status": "queued", "code": code} for ballot, code in codes.items()]
        )

    def _write(self, session: Session, rows: Sequence[dict[str, object]]) -> None:
        if rows:
            query = update(_BALLOTS).where(_BALLOTS.c.id == bindparam("ballot"))
            session.connection().execute(query, rows)

    def _take_out(self, session: Session, ballots: Sequence[int]) -> None:
        for chunk in chunks(ballots):
            session.execute(delete(_OUTBOX).where(_OUTBOX.c.ballot.in_(chunk)))

    # -- within a transaction -------------------------------------------------------------------------

    def _due(self, session: Session, count: int, *, lock: bool) -> list[tuple[int, int, float]]:
        other = aliased(OutboxEntry)
        first = and_(other.ballot < OutboxEntry.ballot, other.parked.is_(False))
        blocked = exists().where(
            other.mtg == OutboxEntry.mtg, other.sub == OutboxEntry.sub, or_(first, other.batch.is_not(None))
        )
        query = (
            select(OutboxEntry.ballot, func.length(OutboxEntry.entry), OutboxEntry.queued_at)
            .where(OutboxEntry.mtg == self._mtg, OutboxEntry.door == self._door)
            .where(OutboxEntry.batch.is_(None), OutboxEntry.parked.is_(False))
            .where(OutboxEntry.not_before <= self._wall(), ~blocked)
            .order_by(OutboxEntry.ballot)
            .limit(count)
        )
        if lock:
            query = query.with_for_update(skip_locked=True, of=OutboxEntry)
        return [(row[0], row[1], row[2]) for row in session.execute(query)]

    def _form(self, session: Session, ballots: Sequence[int], whole: Parcel | None = None) -> Parcel:
        """Bind free ballots together, as a part of `whole` where it is one."""
        identifier, wall = uuid.uuid4().hex, self._wall()
        batch = Batch(
            id=identifier,
            root=whole.root if whole else identifier,
            mtg=self._mtg,
            door=self._door,
            relay=self._relay,
            lease_until=wall + self._lease,
            not_before=wall,
            attempts=whole.attempts + 1 if whole else 0,
            claimed_at=whole.claimed_at if whole else wall,
        )
        session.add(batch)
        session.flush()
        for chunk in chunks(ballots):
            free = update(_OUTBOX).where(_OUTBOX.c.ballot.in_(chunk), _OUTBOX.c.batch.is_(None))
            session.execute(free.values(batch=identifier))
        return _parcel(batch, self._items(session, OutboxEntry.batch == identifier))

    def _mine(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return OutboxEntry.mtg == self._mtg, OutboxEntry.door == self._door

    def _items(self, session: Session, condition: object) -> tuple[Item, ...]:
        query = select(OutboxEntry.ballot, OutboxEntry.sub, OutboxEntry.entry)
        rows = session.execute(query.where(condition).order_by(OutboxEntry.ballot))  # type: ignore[arg-type]
        return tuple(Item(*row) for row in rows)

    def _drop_if_empty(self, session: Session, batch: str) -> None:
        left = exists().where(OutboxEntry.batch == batch)
        session.execute(delete(Batch).where(Batch.id == batch, ~left))


def _parcel(batch: Batch, items: tuple[Item, ...]) -> Parcel:
    return Parcel(batch.id, batch.root, batch.mtg, batch.attempts, items, batch.claimed_at)


def _ready(due: Sequence[tuple[int, int, float]], limits: Limits, wall: float) -> bool:
    if not due:
        return False
    full = len(due) >= limits.count or sum(size for _, size, _ in due) >= limits.octets
    return full or min(queued for _, _, queued in due) + limits.age <= wall


def _fitting(due: Sequence[tuple[int, int, float]], limits: Limits) -> list[int]:
    """Return as many of the due ballots as one batch may hold, at least one."""
    chosen: list[int] = []
    octets = 0
    for ballot, size, _ in due:
        if chosen and octets + size > limits.octets:
            break
        chosen.append(ballot)
        octets += size
    return chosen
