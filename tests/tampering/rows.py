"""Tampering with the platform's rows: any column of any row that the reconciliation reads, and whole rows."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import event, text

from auditor.coverage_rows import ACCEPTED, COLUMNS, MEETINGS, REFUSED, RESULTS, UNUSED, USED, Column
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Terms, reconcile
from auditor.snapshot import _forgiving
from client.encodings import times
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from tests.tampering.case import Case, flipped
from tests.unit.auditor.lenders import x5t
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.platform_side import SCHEMA, made_up

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from auditor.discrepancy import Discrepancy
    from auditor.view import ChainBallot, ChainMeeting
    from tests.unit.auditor.meeting_player import Player

NOW = "2026-03-20T00:00:00Z"
_NUMBERS = {"id", "seq", "ack_no", "block"}
_KEYS = {MEETINGS: "mtg", RESULTS: "mtg", USED: "ses", UNUSED: "ses"}


class Platform:
    """The database that an honest platform has of a player's meeting; every tampering is undone again."""

    def __init__(self, player: Player, path: Path, draw: random.Random | None = None) -> None:
        """Write it, the rows in an order that `draw` decides."""
        verifier = player.follow()
        meeting = verifier.meeting(CHANNEL, MTG)
        assert meeting is not None
        assert verifier.findings(CHANNEL) == ()
        self.player, self.meeting = player, meeting
        height = len(player.chain.blocks)
        self.terms = Terms(height, "RegulatorMSP", times.parse(NOW), doors=verifier.doors(CHANNEL))
        self._write(path, draw)
        self._engine = sqlalchemy.create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _forgiving)
        self.connection = self._engine.connect()
        self.rows = self._rows()

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()

    def found(self) -> tuple[Discrepancy, ...]:
        return reconcile(self.meeting, PlatformRows(self.connection), self.terms).discrepancies

    def tampered(self, statement: str, values: dict[str, Any]) -> tuple[Discrepancy, ...]:
        """Return what is found after one statement, which touches one row and is rolled back."""
        with self.connection.begin_nested() as nested:
            assert self.connection.execute(text(statement), values).rowcount == 1
            found = self.found()
            nested.rollback()
        return found

    def _write(self, path: Path, draw: random.Random | None) -> None:
        meeting = self.meeting
        ballots = [*meeting.accepted.values(), *meeting.refused.values()]
        if draw is not None:
            draw.shuffle(ballots)
        with sqlite3.connect(path) as connection:
            connection.executescript(SCHEMA)
            for one in ballots:
                if one.door == "RegulatorMSP":
                    continue  # the Regulator's own door needs no row
                row = {name: getattr(one, name) for name in type(one).__slots__} | {"mtg": MTG}
                row |= {"ack_jws": acknowledged(self.player, meeting, one), "code": one.code or None}
                row["status"] = "refused" if one.code else "committed"
                _insert(connection, "ballots", row)
            for session in meeting.sessions.values():
                row = {name: getattr(session, name) for name in type(session).__slots__}
                _insert(connection, "sessions", row | {"status": "recorded"})
            record = {"mtg": MTG, "record": meeting.record, "mh": meeting.mh, "channel": CHANNEL}
            _insert(connection, "meetings", record | {"state": meeting.state})
            if meeting.result:
                _insert(connection, "results", {"mtg": MTG, "result": meeting.result})
        connection.close()

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        used = {one.ses for one in self.meeting.accepted.values()}
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for table in ("ballots", "sessions", "meetings", "results"):
            for one in self.connection.execute(text(f"SELECT * FROM {table}")).mappings():  # noqa: S608
                kind = table
                if table == "ballots":
                    kind = REFUSED if one["status"] == "refused" else ACCEPTED
                elif table == "sessions":
                    kind = USED if one["ses"] in used else UNUSED
                rows[kind].append(dict(one))
        return rows


def acknowledged(player: Player, meeting: ChainMeeting, one: ChainBallot) -> str:
    """Return what the door signed: with the key that brings its batches."""
    word = Acknowledgement(meeting.mh, MTG, one.digest, one.door, one.ack_no, one.ack_time)
    return sign_acknowledgement(word, x5t(player.relay.certificate), player.relay.key).compact


def altered(platform: Platform, draw: random.Random, column: Column | None = None) -> Case:
    """Change one value: a bit, another text, or nothing at all; by default where the map says it is held."""
    chosen = column or draw.choice([one for one in COLUMNS if one.findings])
    row = draw.choice(platform.rows[chosen.rows])
    before = row[chosen.name]
    after, how = _another(before, chosen.name, draw)
    table, key = chosen.rows.split(",")[0], _KEYS.get(chosen.rows, "id")
    # A flipped bit may leave no UTF-8: then the column holds the bytes as they are.
    value = "CAST(:after AS TEXT)" if isinstance(after, bytes) else ":after"
    found = platform.tampered(
        f"UPDATE {table} SET {chosen.name} = {value} WHERE {key} = :key",  # noqa: S608
        {"after": after, "key": row[key]},
    )
    what = f"{chosen.rows}: {chosen.name} of {key} {row[key]}: {how}"
    expected = {f"{kind}: {name}" for kind, name in chosen.findings}
    return Case("rows", what, frozenset(expected), _placed(found, chosen, row, after))


def _placed(
    found: tuple[Discrepancy, ...], column: Column, row: dict[str, Any], after: Any
) -> frozenset[str]:
    """The findings by name, of those that name this very row or ballot."""
    table = column.rows.split(",")[0]
    places = (f"ballots row {row.get('id')}", f"{table} row {row.get('ses') or row.get('mtg')}")
    marks = {str(row[name]) for name in ("digest", "ses", "mtg") if name in row}
    if column.name in ("digest", "ses") and after is not None:  # the row goes by the false name now
        marks.add(after.decode("utf-8", "backslashreplace") if isinstance(after, bytes) else str(after))
    named = set()
    for one in found:
        said = f"{one.where} {one.ballot} {one.chain} {one.platform}"
        if one.where.endswith(places) or any(mark in said for mark in marks):
            named.add(f"{one.kind}: {one.field}")
    return frozenset(named)


def _another(before: Any, name: str, draw: random.Random) -> tuple[Any, str]:
    how = draw.choice(("bit", "bit", "bit", "other", "null"))
    if how == "null" and before not in (None, ""):
        return None, "null"
    if name in _NUMBERS:
        bit = draw.randrange(40)
        return int(before or 0) ^ (1 << bit), f"bit {bit}"
    if how == "bit" and before:
        data, place = flipped(str(before).encode(), draw)
        return data, place
    return f"another {draw.randrange(10**9)}", "another text"


def whole(platform: Platform, draw: random.Random) -> Case:
    """Drop, repeat, make up or hold back a whole row."""
    row = draw.choice(platform.rows[ACCEPTED])
    made = f"made up {draw.randrange(10**9)}"
    same = {name: value for name, value in row.items() if name not in ("id", "created_at")}
    other = same | {
        "digest": made_up(made),
        "sub": made,
        "jws": made,
        "ack_no": 10_000 + draw.randrange(10**6),
    }
    session = draw.choice(platform.rows[draw.choice((USED, UNUSED))])
    forged = {**session, "ses": made}
    how, table, values, expected, mark = draw.choice(
        (
            ("dropped", "", {"id": row["id"]}, "missing: row", row["digest"]),
            ("repeated", "ballots", same, "duplicated: digest", row["digest"]),
            ("copied", "ballots", same | {"digest": made_up(made)}, "duplicated: row", row["digest"]),
            ("made up", "ballots", other, "extra: row", other["digest"]),
            (
                "promised",
                "ballots",
                other | _promised(platform, other),
                "receipt without ballot: ack_no",
                other["digest"],
            ),
            ("held back", "ballots", other | {"status": "queued"}, "late: status", other["digest"]),
            ("session made up", "sessions", forged, "extra: session", made),
        )
    )
    statement = _statement(table, values) if table else "DELETE FROM ballots WHERE id = :id"
    found = platform.tampered(statement, values)
    named = {f"{one.kind}: {one.field}" for one in found if mark in (one.ballot, one.chain, one.platform)}
    return Case("whole rows", f"{how}: {mark}", frozenset({expected}), frozenset(named))


def _promised(platform: Platform, row: dict[str, Any]) -> dict[str, str]:
    meeting, player = platform.meeting, platform.player
    word = Acknowledgement(meeting.mh, MTG, row["digest"], row["door"], row["ack_no"], row["ack_time"])
    return {"ack_jws": sign_acknowledgement(word, x5t(player.relay.certificate), player.relay.key).compact}


def _statement(table: str, row: dict[str, Any]) -> str:
    marks = ", ".join(f":{name}" for name in row)
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(_statement(table, row), row)
