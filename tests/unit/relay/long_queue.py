"""A long outbox, and a relay in a process of its own that empties it (`python -m` this module).

The channel is a route that accepts whatever it is given and remembers nothing, so that what the process
holds is the relay's.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import cbor2

from client.encodings import base64url
from client.platform import Database
from client.relay.batch import Limits
from client.relay.delivery import Delivery
from client.relay.enqueue import Queued, enqueue
from client.relay.failover import Failover
from client.relay.outbox import Outbox
from client.relay.route import Held, Settled
from client.relay.worker import Relay

MTG, DOOR = "m-1", "AssociationMSP"
ENTRY_BYTES, JWS_BYTES, ACK_BYTES = 400, 700, 520  # as a real ballot has them
_CHUNK = 5000


def fill(database: Database, ballots: int) -> None:
    """Queue synthetic ballots of as many voters."""
    for start in range(0, ballots, _CHUNK):
        rows = [_ballot(number) for number in range(start, min(ballots, start + _CHUNK))]
        with database.write() as session:
            enqueue(session, rows, mtg=MTG, door=DOOR, deadline=2e9, wall=0.0)


def _ballot(number: int) -> Queued:
    sub = number.to_bytes(16, "big")
    row = {
        "seq": 1,
        "digest": base64url.encode(number.to_bytes(32, "big")),
        "jws": "j" * JWS_BYTES,
        "choices": '{"m1":"approve","m2":"reject"}',
        "claims": '[{"class":"individual","fen":10000}]',
        "ses": base64url.encode(sub),
        "ack_no": number + 1,
        "ack_time": "2026-01-01T00:00:00Z",
        "ack_jws": "a" * ACK_BYTES,
        "created_at": "2026-01-01T00:00:00Z",
    }
    return Queued(base64url.encode(sub), row, cbor2.dumps([0, sub, b"x" * ENTRY_BYTES]))


class Accepting:
    """A route whose channel accepts everything."""

    name = "accepting"

    def endorse(self, batch: bytes) -> Accepted:
        return Accepted(len(cbor2.loads(batch)[2]))

    def settled(self, tx: str) -> Settled | None:
        return None

    def held(self, mtg: str, sub: str) -> Held | None:
        return None


class Accepted:
    """A batch that will be accepted as a whole."""

    def __init__(self, size: int) -> None:
        answer = {"v": 1, "accepted": size, "held": [], "refused": [], "pending": []}
        self.tx, self.verdicts = uuid.uuid4().hex * 2, json.dumps(answer).encode()

    def reads(self) -> dict[str, tuple[int, int] | None]:
        return {}

    def send(self) -> Settled:
        return Settled(self.tx, 7, "VALID")


def resident_mib() -> float:
    """Return the largest memory that this process ever had."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def main(url: str, batch: int) -> None:
    """Empty the outbox; print the memory after the first tenth of the batches, and at the end."""
    outbox = Outbox(Database.open(url), mtg=MTG, door=DOOR, relay="relay-1")
    relay = Relay(outbox, Delivery(outbox, Failover([Accepting()])), limits=Limits(count=batch, age=0.0))
    due = outbox.outstanding() * 9 // 10
    early = 0.0
    while relay.step():
        if not early and outbox.outstanding() <= due:
            early = resident_mib()
    sys.stdout.write(json.dumps({"early": early, "end": resident_mib(), "left": outbox.outstanding()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
