"""The relay as a process of its own, told about transactions and times: `python -m client.bench.carrier`.

One JSON line in says what to carry. It answers `ready`, waits for a line, carries, answers with one JSON
line, and ends when its input does, so that its memory and processor time can be read to the end.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.connection import Profile
from client.platform import Database, Vault
from client.relay.batch import Limits
from client.relay.delivery import Delivery
from client.relay.failover import Failover
from client.relay.gateways import route
from client.relay.outbox import Outbox
from client.relay.worker import Relay
from client.services import Services

if TYPE_CHECKING:
    from client.relay.batch import Parcel

DOOR = "AssociationMSP"


class TimedOutbox(Outbox):
    """An outbox that also remembers of each transaction when its ballots were read, and how many they are."""

    def __init__(self, database: Database, **which: Any) -> None:
        super().__init__(database, **which)
        self.sent: list[tuple[str, float, int]] = []

    def sending(self, parcel: Parcel, tx: str, verdicts: bytes) -> None:
        """Write a transaction down before it is sent."""
        super().sending(parcel, tx, verdicts)
        self.sent.append((tx, parcel.claimed_at, len(parcel.items)))


def main() -> None:
    """Carry what the first line of standard input says."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="relay: %(message)s")
    order = json.loads(sys.stdin.readline())
    database = Database.open(order["database"])
    profile = Profile.load(Path(order["home"]))
    with Services(profile, database, Vault.open(Path(order["vault"]))) as services:
        channel = profile.arbitration_channel(order["institution"])
        orgs = [DOOR, *(org for org in channel.orgs if org != DOOR)]
        routes = [
            route(services.gateway(DOOR, "relay", via=via), via, channel.name, channel.chaincode)
            for via in orgs
        ]
        for one in routes:
            one.held(order["mtg"], "A" * 22)  # so that connecting isn't measured
        outbox = TimedOutbox(database, mtg=order["mtg"], door=DOOR, relay="bench")
        relay = Relay(
            outbox,
            Delivery(outbox, Failover(routes)),
            limits=Limits(count=order["batch"]),
            workers=order["in_flight"],
            in_flight=order["in_flight"],
        )
        _say("ready")
        sys.stdin.readline()
        began = time.time()
        with relay:
            relay.drain(order["timeout"])
        _say({"began": began, "ended": time.time(), "sent": outbox.sent})
        sys.stdin.read()
    database.close()


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
