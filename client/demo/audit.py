"""The audit, run as what it is: another program, under the Regulator's identity, with its own peer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from client.demo.errors import DemoFailed

if TYPE_CHECKING:
    from pathlib import Path

    from client.platform import Database

_SECONDS = 300


def audit(home: Path, mtg: str, database: str, report: Path) -> dict[str, Any]:
    """Audit the meeting and write the report files; return what the audit printed as JSON."""
    command = [sys.executable, "-m", "client.cli.main", "audit", "run", "--meeting", mtg]
    done = subprocess.run(
        [*command, "--database", database, "--report", str(report), "--json"],
        env={**os.environ, "CONCORDAT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise DemoFailed(f"the audit could not be done: {' '.join(done.stderr.split())}")
    found: dict[str, Any] = json.loads(done.stdout)
    if (done.returncode == 0) != (found["verdict"] == "consistent"):
        raise DemoFailed(f"the audit said {found['verdict']} and ended with exit {done.returncode}")
    return found


def tamper(database: Database, mtg: str) -> tuple[str, str, str]:
    """Change one committed ballot's choices by hand, as an operator of the platform could.

    Returns the ballot's digest, and its choices before and after.
    """
    with database.write() as session:
        query = text(
            "SELECT id, digest, choices FROM ballots WHERE mtg = :mtg AND status = 'committed' "
            "ORDER BY id LIMIT 1"
        )
        number, digest, before = session.execute(query, {"mtg": mtg}).one()
        wrong = "reject" if '"m1":"approve"' in before else "approve"
        after = json.dumps({**json.loads(before), "m1": wrong}, separators=(",", ":"), sort_keys=True)
        session.execute(
            text("UPDATE ballots SET choices = :after WHERE id = :id"), {"after": after, "id": number}
        )
    return digest, before, after
