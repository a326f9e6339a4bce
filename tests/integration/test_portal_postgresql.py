"""The second door's book on a real PostgreSQL: numbers without gaps, however many take ballots at once."""

from __future__ import annotations

import threading

from auditor.log.service_db import DoorBook, ServiceDatabase, TakenBallot
from auditor.log.service_db.taken import ACCEPTED, outstanding
from tests.integration.test_log_postgresql import database, pytestmark, server, url

__all__ = ["database", "pytestmark", "server", "url"]

CHANNEL = "arbitration-institutiona"


def take(database: ServiceDatabase, digest: str) -> None:
    with database.write() as connection:
        book = DoorBook(connection, CHANNEL, "m")
        book.lock()
        number = book.last_number() + 1
        book.add(TakenBallot(CHANNEL, "m", number, digest, "sub", "jws", "", b"entry", "time", "ack"))


def test_numbers_have_no_gap_and_none_comes_twice(database: ServiceDatabase) -> None:
    def some(thread: int) -> None:
        for one in range(10):
            take(database, f"{thread}-{one}")

    threads = [threading.Thread(target=some, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with database.write() as connection:
        book = DoorBook(connection, CHANNEL, "m")
        assert [row.number for row in book.queued(100)] == list(range(1, 41))
        book.settle(1, ACCEPTED, tx="ab")
        assert book.counts() == {
            "taken": 40,
            "queued": 39,
            "accepted": 1,
            "refused": 0,
            "platform_acknowledged": 0,
        }
        assert outstanding(connection) == [(CHANNEL, "m", 39)]
