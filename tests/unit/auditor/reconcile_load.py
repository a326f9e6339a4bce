"""A reconciliation of as many ballots as asked for, generated as it goes: seconds and memory, as JSON.

`python -m tests.unit.auditor.reconcile_load COUNT`, from the checkout's root.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from auditor.platform_rows import PlatformRows
from auditor.reconcile import reconcile
from auditor.replay.kept import BALLOTS, SESSIONS
from auditor.replay.people import People, Session
from auditor.replay.views import SessionsOf
from auditor.snapshot import open_snapshot
from auditor.store import Store
from tests.unit.auditor.platform_side import (
    ballot,
    closed_meeting,
    insert,
    row_of,
    save,
    session,
    terms,
)

BLOCK = 1000  # ballots that wait in memory


def write(path: Path, count: int) -> None:
    """Write what an honest platform has of `count` ballots, one after another."""
    save(path, closed_meeting(0))
    with sqlite3.connect(path) as connection:
        for number in range(1, count + 1):
            insert(connection, row_of(ballot(number)))
            insert(connection, {**asdict(session(number)), "status": "recorded"}, "sessions")
    connection.close()


def measure(path: Path, count: int) -> dict[str, Any]:
    """Reconcile and return what it took; `grown_mib` is the growth of the peak over the start."""
    before = peak()
    begun, worked = time.monotonic(), time.process_time()
    numbers = range(1, count + 1)
    with open_snapshot(f"sqlite:///{path}") as (connection, _):
        copied = time.monotonic()
        with closing(Store()) as store:
            accepted, people = store.table("accepted", BALLOTS), People(sessions=store.table("s", SESSIONS))
            for number in numbers:
                one, check = ballot(number), session(number)
                accepted[one.digest] = one
                people.check(Session(**asdict(check)))
                if number % BLOCK == 0:
                    store.flush()
            filled = time.monotonic()
            held = replace(closed_meeting(0), accepted=accepted, sessions=SessionsOf("m", people))
            found = reconcile(held, PlatformRows(connection), terms(settled_height=count + 1))
    return {
        "rows": found.rows,
        "discrepancies": len(found.discrepancies),
        "seconds": round(time.monotonic() - begun, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
        "seconds_snapshot": round(copied - begun, 2),
        "seconds_spill": round(filled - copied, 2),
        "rss_mib": round(peak(), 1),
        "grown_mib": round(peak() - before, 1),
    }


def peak() -> float:
    """Return the highest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "platform.db"
        write(database, int(sys.argv[1]))
        json.dump(measure(database, int(sys.argv[1])), sys.stdout)
