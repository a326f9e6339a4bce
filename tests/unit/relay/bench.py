"""A relay on a test bench: real database, in-memory channel, a clock that the test turns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import cbor2
from sqlalchemy import select

from client.encodings import base64url
from client.platform.models import Ballot, OutboxEntry
from client.relay.batch import Limits
from client.relay.delivery import Delivery
from client.relay.enqueue import Queued, enqueue
from client.relay.failover import Failover
from client.relay.gateway_route import GatewayRoute
from client.relay.outbox import Outbox
from client.relay.worker import Relay
from tests.ledger import BallotBox, Faults, Killed, Ledger, entry_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.platform import Database
    from client.relay.watch import Watch

MTG, DOOR = "m-1", "AssociationMSP"
NOW = 1_767_225_600.0
DEADLINE = NOW + 3600


@dataclass
class Clock:
    now: float = NOW

    def wall(self) -> float:
        return self.now

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@dataclass
class Bench:
    database: Database
    box: BallotBox = field(default_factory=BallotBox)
    clock: Clock = field(default_factory=Clock)
    limits: Limits = field(default_factory=lambda: Limits(count=4, age=0.0))

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.box.functions())
        self.numbers = 0

    def outbox(self, relay: str = "relay-1") -> Outbox:
        return Outbox(
            self.database,
            mtg=MTG,
            door=DOOR,
            relay=relay,
            wall=self.clock.wall,
            clock=self.clock.moment,
        )

    def relay(
        self, faults: Sequence[Faults] = (), name: str = "relay-1", watch: Watch | None = None
    ) -> Relay:
        outbox = self.outbox(name)
        routes = [
            GatewayRoute(f"peer{number}", self.ledger.contract(faults=fault), self.ledger.commit_of)
            for number, fault in enumerate(faults or [Faults()])
        ]
        delivery = Delivery(outbox, Failover(routes, self.clock.wall), watch, self.clock.wall)
        return Relay(outbox, delivery, limits=self.limits, watch=watch)

    def acknowledge(self, voter: int, seq: int = 1, session: int | None = None) -> int:
        """Put a ballot where the desk would; return its row."""
        self.numbers += 1
        sub, ses = voter.to_bytes(16, "big"), (session or 1000 * voter + seq).to_bytes(16, "big")
        entry = [0, sub, seq, ses, int(NOW), [0], b"\0" * 64, self.numbers, int(NOW), [0, b"", []], []]
        row = {
            "seq": seq,
            "digest": entry_digest(entry),
            "jws": "",
            "choices": "{}",
            "claims": "[]",
            "ses": base64url.encode(ses),
            "ack_no": self.numbers,
            "ack_time": "2026-01-01T00:00:00Z",
            "ack_jws": "",
            "created_at": "2026-01-01T00:00:00Z",
        }
        queued = Queued(base64url.encode(sub), row, cbor2.dumps(entry))
        with self.database.write() as writing:
            return enqueue(writing, [queued], mtg=MTG, door=DOOR, deadline=DEADLINE, wall=self.clock.now)[0]

    def run(self, relay: Relay, steps: int = 50) -> None:
        """Let the relay work until nothing is ready; time passes while it waits."""
        for _ in range(steps):
            relay.step()
            self.clock.now += 1.0
            if not self.left():
                break

    def run_through(self, script: Sequence[str], steps: int = 60) -> None:
        """Let relays work and be killed as the script says; each successor takes over from the database."""
        faults = Faults.of(script)
        relay = self.relay([faults])
        for _ in range(steps):
            try:
                relay.step()
            except Killed:
                relay = self.relay([faults])
            self.clock.now += 1.0
            if not faults.script and not self.left():
                break

    def ballots(self) -> list[Ballot]:
        with self.database.read() as session:
            return list(session.scalars(select(Ballot).order_by(Ballot.id)))

    def left(self) -> list[OutboxEntry]:
        with self.database.read() as session:
            return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.ballot)))

    def check_exactly_once(self) -> None:
        """Every acknowledged ballot is on the channel once, and the database says where."""
        counted: dict[str, int] = {}
        written: dict[str, str] = {}
        for key, (value, _) in self.ledger.state.items():
            if key.startswith("ballot~"):
                for digest in history(value):
                    counted[digest] = counted.get(digest, 0) + 1
                    written[digest] = key
        rows = self.ballots()
        assert [row.status for row in rows] == ["committed"] * len(rows)
        assert counted == {row.digest: 1 for row in rows}
        for row in rows:
            assert row.tx is not None
            status = self.ledger.settled[row.tx]
            assert (status.code_name, status.block_number) == ("VALID", row.block)
        assert self.left() == []


def history(value: bytes) -> list[str]:
    return [str(digest) for digest in json.loads(value)["history"]]
