"""What signature verification alone allows on this machine, whatever the design."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from client.errors import UserError
from network import binaries


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Seconds that an endorser's code takes to verify one ballot's signature on one processor."""

    cores: int
    verify_seconds: float

    def per_second(self, endorsers: int) -> float:
        """Return ballots a second if every endorser did nothing but verify, on the same processors."""
        return self.cores / (endorsers * self.verify_seconds)


def measure() -> Ceiling:
    """Run the chaincode's own verification, built like the chaincode."""
    program = binaries.chaincodes(["verifytime"])["verifytime"]
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"the time of a verification can't be measured: {done.stderr.strip()}")
    cores = len(os.sched_getaffinity(0))
    return Ceiling(cores, float(json.loads(done.stdout)["verify_us"]) / 1e6)
