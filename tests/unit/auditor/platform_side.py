"""A replayed meeting, and the database that an honest platform has of it, acknowledgements signed."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from auditor.acknowledged import Doors
from auditor.facts import that_hold
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Reconciliation, Terms, reconcile
from auditor.snapshot import open_snapshot
from auditor.view import ChainBallot, ChainMeeting, ChainSession
from client.encodings import hashes, times
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from auditor.facts import Fact, Facts

Item = TypeVar("Item")

SCHEMA = """
CREATE TABLE ballots (id INTEGER PRIMARY KEY, mtg TEXT, sub TEXT, seq INTEGER, digest TEXT, jws TEXT,
  choices TEXT, claims TEXT, ses TEXT, door TEXT, ack_no INTEGER, ack_time TEXT, ack_jws TEXT, status TEXT,
  code TEXT, tx TEXT, block INTEGER, created_at TEXT);
CREATE TABLE sessions (ses TEXT PRIMARY KEY, sub TEXT, x5t TEXT, institution TEXT, mtg TEXT, method TEXT,
  outcome TEXT, commitment TEXT, issued_at TEXT, expires_at TEXT, act TEXT, status TEXT);
CREATE TABLE meetings (mtg TEXT PRIMARY KEY, record TEXT, mh TEXT, channel TEXT, state TEXT);
CREATE TABLE results (mtg TEXT PRIMARY KEY, result TEXT);
"""
DOOR, OWN_DOOR = "AssociationMSP", "RegulatorMSP"
CHANNEL = "arbitration-institutiona"
ACK_TIME = "2026-01-02T00:00:00Z"
NOW = times.parse("2026-01-02T00:05:00Z")
HEIGHT = 1000
PATIENCE = 600


def mutable(mapping: Any) -> Any:
    """Return a meeting's mapping, which is a dictionary here, for a test to change."""
    return mapping


def made_up(text: str) -> str:
    """Return a hash of the form that digests have."""
    return hashes.digest(hashes.STEP, text.encode())


MH = made_up("mh")
X5T = made_up("certificate")
KEY = ec.derive_private_key(7, ec.SECP256R1())
FALSE_KEY = ec.derive_private_key(8, ec.SECP256R1())


def ballot(number: int) -> ChainBallot:
    return ChainBallot(
        digest=made_up(f"ballot {number}"),
        sub=f"sub-{number}",
        seq=1,
        jws=f"jws-{number}",
        choices='{"m1":"approve"}',
        claims='[{"class":"a","fen":100}]',
        ses=f"ses-{number}",
        door=DOOR,
        ack_no=number,
        ack_time=ACK_TIME,
        tx=f"tx-{number}",
        block=number,
    )


def session(number: int) -> ChainSession:
    return ChainSession(
        f"ses-{number}",
        f"sub-{number}",
        "x5t",
        "InstitutionAMSP",
        "m",
        "face-v1",
        "accept",
        "c",
        "2026-01-01T00:00:00Z",
        "2026-01-03T00:00:00Z",
    )


def closed_meeting(size: int = 3) -> ChainMeeting:
    ballots = [ballot(number) for number in range(1, size + 1)]
    return ChainMeeting(
        mtg="m",
        channel=CHANNEL,
        record="{}",
        mh=MH,
        state="closed",
        result='{"ballots":3}',
        accepted={one.digest: one for one in ballots},
        sessions={one.ses: session(index) for index, one in enumerate(ballots, 1)},
        numbers={DOOR: set(range(1, size + 1))},
    )


@lru_cache(maxsize=4096)
def acknowledge(
    digest: str,
    number: int,
    *,
    time: str = ACK_TIME,
    door: str = DOOR,
    mtg: str = "m",
    false: bool = False,
    x5t: str = X5T,
) -> str:
    """Return the acknowledgement that a door signs, by another key where it is `false`."""
    word = Acknowledgement(MH, mtg, digest, door, number, time)
    return sign_acknowledgement(word, x5t, FALSE_KEY if false else KEY).compact


def row_of(one: ChainBallot, status: str = "committed", **changes: Any) -> dict[str, Any]:
    """Return the platform's row of a ballot, its acknowledgement genuine unless it is given."""
    row = {name: value for name, value in asdict(one).items() if name != "code"}
    row |= {"mtg": "m", "status": status, "code": one.code or None}
    row["ack_jws"] = acknowledge(one.digest, one.ack_no, time=one.ack_time, door=one.door)
    return row | changes


def insert(connection: sqlite3.Connection, row: dict[str, Any], table: str = "ballots") -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608


def save(path: Path, meeting: ChainMeeting, ballots: Iterable[dict[str, Any]] | None = None) -> Path:
    """Write what an honest platform has of a meeting."""
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        for row in map(row_of, meeting.accepted.values()) if ballots is None else ballots:
            insert(connection, row)
        for other in meeting.sessions.values():
            values = {one.name: getattr(other, one.name) for one in fields(ChainSession)}
            insert(connection, values | {"status": "recorded"}, "sessions")
        record = {"record": "{}", "mh": meeting.mh, "channel": CHANNEL, "state": "closed"}
        insert(connection, {"mtg": "m", **record}, "meetings")
        insert(connection, {"mtg": "m", "result": meeting.result}, "results")
    connection.close()
    return path


def change(path: Path, *statements: str) -> None:
    """Run statements that each touch exactly one row."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1
    connection.close()


def add(path: Path, one: ChainBallot, status: str = "committed", **changes: Any) -> None:
    with sqlite3.connect(path) as connection:
        insert(connection, row_of(one, status, **changes))
    connection.close()


def terms(**changes: Any) -> Terms:
    """Return what an audit goes by that knows the door's key; `changes` are fields of `Terms`."""
    known = Terms(HEIGHT, OWN_DOOR, NOW, PATIENCE, doors=Doors({DOOR: {X5T: KEY.public_key()}}))
    return replace(known, **changes)


def audit(path: Path, meeting: ChainMeeting, **changes: Any) -> Reconciliation:
    with open_snapshot(f"sqlite:///{path}") as (connection, _):
        return reconcile(meeting, PlatformRows(connection), terms(**changes))


class Beforehand:
    """Helpers in this process: what holds of an item is known when its turn comes."""

    def ahead(
        self, items: Iterable[Item], ask: Callable[[Item], Sequence[Fact]], facts: Facts
    ) -> Iterator[Item]:
        for item in items:
            asked = ask(item)
            facts.renew(fact for fact, holds in zip(asked, that_hold(asked), strict=True) if holds)
            yield item
        facts.renew(())


Found = tuple[str, str, str, str, str]


def named(reconciled: Reconciliation) -> list[Found]:
    """Return the findings as (kind, ballot, field, chain, platform)."""
    return [(one.kind, one.ballot, one.field, one.chain, one.platform) for one in reconciled.discrepancies]
