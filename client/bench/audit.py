"""`bench audit`: verification, replay and reconciliation of a whole meeting, by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

from client.bench.cast import close_relayed, relay
from client.bench.family import Family
from client.bench.preparation import prepared
from client.errors import UserError
from client.platform.models import IdentitySession

if TYPE_CHECKING:
    from pathlib import Path

    from client.bench.preparation import Bench, Settings
    from client.bench.progress import Progress
    from client.bench.stage import Staged

_CHUNK: Final = 1000


def audit(home: Path, settings: Settings, progress: Progress) -> dict[str, Any]:
    """Carry ballots as `cast` does and close; then audit all of it, and measure that."""
    with prepared(home, settings, progress) as bench:
        cohort = bench.cohort(settings.ballots, home / "bench" / "cohorts")
        staged = bench.stage(cohort, (0, settings.ballots), "audit")
        _session_rows(bench, staged)
        bench.acknowledge(staged)
        accepted = relay(bench, staged).figures["accepted"]
        close_relayed(bench, staged, accepted)
        order = {
            "home": str(bench.host.home),
            "database": bench.database,
            "mtg": staged.meeting.mtg,
            "channel": staged.meeting.channel,
        }
        progress.say("auditing")
        with bench.stages.time("audit"):
            figures = _audited(order)
    return {
        **figures,
        "accepted": accepted,
        "ratio": round(figures["seconds"] / figures["signature_seconds"], 2),
        "stages": bench.stages.seconds,
    }


def _session_rows(bench: Bench, staged: Staged) -> None:
    """Write the rows of the identity checks, which the platform's recorder would have written before them."""
    without = {"act": None, "evidence_encrypted": None, "status": "recorded", "code": None, "tx": None}
    for chunk in staged.cohort.chunks(*staged.span, _CHUNK):
        checks = [voter.session(staged.term).as_json() for voter in chunk]
        rows = [{**{name: value for name, value in one.items() if name != "v"}, **without} for one in checks]
        with bench.services.database.write() as session:
            session.execute(insert(IdentitySession), rows)


def _audited(order: dict[str, Any]) -> dict[str, Any]:
    """Run the auditor's process; the memory is its and its helpers', looked at throughout."""
    command = (sys.executable, "-m", "client.bench.auditing")
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
        Family(process.pid) as family,
    ):
        answer, _ = process.communicate(json.dumps(order) + "\n")
    if process.returncode != 0:
        raise UserError("the audit's process ended without figures: see its lines")
    figures: dict[str, Any] = json.loads(answer)
    return {**figures, "rss_mib": family.peak_mib, "processes": family.most}
