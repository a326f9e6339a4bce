"""The second door's books on a real PostgreSQL: numbers without gaps, however many take ballots at once."""

from __future__ import annotations

import threading

from auditor.log.service_db import DoorBook, KeptWord, ServiceDatabase, TakenBallot, WordBook
from auditor.log.service_db.taken import ACCEPTED, outstanding
from tests.integration.test_log_postgresql import database, pytestmark, server, url

__all__ = ["database", "pytestmark", "server", "url"]

CHANNEL = "arbitration-institutiona"


def take(database: ServiceDatabase, digest: str) -> None:
    with database.write() as connection:
        book = DoorBook(connection, CHANNEL, "m")
        book.lock()
        number = book.last_number() + 1
        book.add(
            TakenBallot(CHANNEL, "m", number, digest, f"of {digest}", "jws", "", b"entry", "time", "ack")
        )


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
        book.tried([1, 2])
        assert [row.number for row in book.queued(100)] == [*range(3, 41), 1, 2]
        book.settle(1, ACCEPTED, tx="ab")
        assert book.counts() == {
            "taken": 40,
            "queued": 39,
            "accepted": 1,
            "refused": 0,
            "platform_acknowledged": 0,
        }
        assert outstanding(connection) == [(CHANNEL, "m", 39)]


def test_of_contradicting_words_handed_in_at_once_one_stands(database: ServiceDatabase) -> None:
    def hand_in(one: int) -> None:
        word = KeptWord("AssociationMSP", 5, 1000, f"digest {one}", "jws")
        with database.write() as connection:
            book = WordBook(connection, CHANNEL, "m")
            book.lock()
            other = book.contradicting(word, 60)
            book.keep(word, {} if other is None else {"ack_no": other.number})

    threads = [threading.Thread(target=hand_in, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with database.read() as connection:
        assert len(WordBook(connection, CHANNEL, "m").contradicted()) == 7
