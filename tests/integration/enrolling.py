"""A process that has lenders certified, for a test that kills it: `python -m tests.integration.enrolling`.

Arguments: the network's home, the platform's folder, the institution. It certifies every lender whose key
lies in the folder `keys`, and says the number of each.
"""

from __future__ import annotations

import sys
from pathlib import Path

from client.connection import Profile
from client.enrolment.approvals import InsecureApprovals
from client.enrolment.lender import LenderKey
from client.platform import Database, Vault
from client.services import Services


def main() -> None:
    home, platform, institution = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    keys = [LenderKey.load(path) for path in sorted((platform / "keys").glob("*.json"))]
    database = Database.open(f"sqlite:///{platform / 'platform.db'}")
    with Services(Profile.load(home), database, Vault.open(platform / "platform.key")) as services:
        services.enrolment(institution, InsecureApprovals()).certify(keys, say)


def say(stage: str, done: int, of: int) -> None:
    sys.stdout.write(f"{done} of {of}: {stage}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
