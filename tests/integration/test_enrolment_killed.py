"""Enrolment with the real Fabric CA is killed again and again, and ends with one certificate a lender."""

from __future__ import annotations

import random
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from client.enrolment.approvals import InsecureApprovals
from client.enrolment.lender import LenderKey
from client.platform import Database, Vault
from client.platform.models import Lender
from client.rolls import Person
from client.services import Services
from tests.integration.meeting_stage import INSTITUTION

if TYPE_CHECKING:
    from tests.integration.conftest import LiveNetwork

pytestmark = [pytest.mark.network, pytest.mark.fault]
LENDERS = 40
ROOT = Path(__file__).parents[2]


def run(network: LiveNetwork, platform: Path, stop_after: int | None) -> int:
    """Certify in another process; kill it once it has said so many lenders. Return how many it said."""
    command = [sys.executable, "-m", "tests.integration.enrolling", str(network.home), str(platform)]
    with subprocess.Popen([*command, INSTITUTION], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = 0
        for line in process.stdout:
            said = int(line.split()[0])
            if said == stop_after:
                process.kill()
                break
        process.wait()
        assert process.returncode == (0 if stop_after is None else -9)
    return said


def test_a_killed_run_is_resumed_and_every_lender_has_one_certificate(
    network: LiveNetwork, tmp_path: Path
) -> None:
    chooser = random.Random(7)  # noqa: S311  moments, not secrets
    database = Database.open(f"sqlite:///{tmp_path / 'platform.db'}")
    vault = Vault.open(tmp_path / "platform.key")
    with Services(network.profile, database, vault) as services:
        mark = secrets.token_hex(4)
        persons = [Person("李娜", "passport", f"E{mark}{number:04d}") for number in range(LENDERS)]
        subs = services.lenders().pseudonyms(INSTITUTION, persons)
        services.lenders().adopt(INSTITUTION, zip(persons, subs, strict=True))
        keys = [LenderKey.generate(INSTITUTION, sub) for sub in subs]
        for number, key in enumerate(keys):
            key.save(tmp_path / "keys" / f"{number:03d}.json")
        for share in (0.1, 0.4, 0.8):
            run(network, tmp_path, max(1, int(LENDERS * share) + chooser.randint(-2, 2)))
        assert run(network, tmp_path, None) == LENDERS

        with database.read() as session:
            rows = {row.sub: row for row in session.scalars(select(Lender))}
        assert {row.status for row in rows.values()} == {"certified"}
        authority = network.profile.org(INSTITUTION).ca
        registrar = services.enrolment(INSTITUTION, InsecureApprovals())._registrar
        for key in keys:
            (issued,) = registrar.certificates(key.sub)
            assert rows[key.sub].x5t == key.with_certificate(issued).x5t, authority.url
    database.close()
