"""After the count: an objection, its answer and its award, the anchored audit, the certification."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from client.demo.errors import DemoFailed
from client.demo.meeting import step, wait_until
from client.encodings import base64url
from client.encodings.award import Answer, Award
from client.encodings.commitment import SALT_BYTES, commit
from client.platform import chain, database_url
from client.platform.times import to_text
from client.services import ARBITRATION, ASSOCIATION

if TYPE_CHECKING:
    from pathlib import Path

    from client.demo.meeting import Held
    from client.demo.show import Show
    from client.services import Services

_SECONDS = 300


def dispute(services: Services, held: Held, show: Show) -> None:
    """Have a lender object to the count, the institution contest it, the commission order a recount."""
    meeting, lender = held.meeting, held.lenders[0]
    obj = base64url.encode(secrets.token_bytes(16))
    now = datetime.now(UTC)
    text = lender.sign_objection(meeting, obj, "count", evidence=_commitment("objection"), iat=now).compact
    answer = Answer(meeting.mtg, obj, "contests", _commitment("answer"), to_text(now))
    award = Award(meeting.mtg, obj, "partial", "recount", _commitment("award"), to_text(now))
    for msp, role, function, arguments in (
        (ASSOCIATION, "relay", "FileObjection", (text, to_text(now))),
        (meeting.institution, "officer", "AnswerObjection", (answer.encode(),)),
        (ARBITRATION, "officer", "DecideObjection", (award.encode(),)),
    ):
        chain.commit(services.arbitration(msp, role, meeting.institution), function, *arguments)
    show.line(f"objection {obj} to the count, by a lender's key; contested; a recount is ordered")


def certify(services: Services, home: Path, held: Held, show: Show) -> None:
    """Anchor the audit with the real tree head, wait for the end of the period, certify."""
    meeting = held.meeting
    command = [sys.executable, "-m", "client.cli.main", "audit", "anchor", meeting.mtg, "--json"]
    done = subprocess.run(
        [*command, "--database", database_url(home), "--report", str(home / "report")],
        env={**os.environ, "CONCORDAT_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise DemoFailed(f"the audit was not anchored: {' '.join(done.stderr.split())}")
    anchored: dict[str, Any] = json.loads(done.stdout)
    show.line(f"anchored: {anchored['verdict']}, {anchored['size']} ballots under root {anchored['root']}")
    wait_until(datetime.fromisoformat(meeting.objections_until) + timedelta(seconds=1), show.line)
    step(services, meeting, "certified")
    show.line("the period for objections is over and nothing is undecided: certified")


def _commitment(what: str) -> str:
    return commit(secrets.token_bytes(SALT_BYTES), {"v": 1, "demo": what})
