from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.relay.long_queue import fill

if TYPE_CHECKING:
    from client.platform import Database

ROOT = Path(__file__).parents[3]
BALLOTS = int(os.environ.get("CONCORDAT_QUEUE_BALLOTS", "10000"))
MOST_MIB, GROWTH_MIB = 600, 8
_log = logging.getLogger(__name__)


@pytest.mark.timeout(3600)
def test_the_relays_memory_does_not_grow_with_its_queue(database: Database) -> None:
    fill(database, BALLOTS)
    url = database.engine.url.render_as_string(hide_password=False)
    batch = min(2500, BALLOTS // 40)
    command = [sys.executable, "-m", "tests.unit.relay.long_queue", url, str(batch)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    _log.warning("%d ballots: %.1f MiB after a tenth, %.1f at the end", BALLOTS, told["early"], told["end"])
    assert told["left"] == 0
    assert told["end"] <= MOST_MIB
    assert told["end"] - told["early"] <= GROWTH_MIB
