"""The auditor's process of `bench audit`: one whole audit, then the same number of bare signatures.

Run as `python -m client.bench.auditing` with an order (JSON) on its standard input; answers in JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from auditor.ahead import HelperProcesses
from auditor.errors import TransactionError
from auditor.opened import open_block
from auditor.replay.authority import Offices
from auditor.run import Roots, run_audit
from auditor.source import OwnPeer
from client.connection import Profile

if TYPE_CHECKING:
    from auditor.source import BlockSource
    from auditor.verdict import Audit

_MESSAGE: Final = bytes(400)  # a ballot's signing input is about as long
_ALGORITHM: Final = ec.ECDSA(hashes.SHA256())


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Audit a meeting, count what signatures that took, and time as many with nothing around them."""
    profile, offices = Profile.load(Path(order["home"])), Offices()
    names = ("identity", order["channel"])
    genesis = {name: bytes.fromhex(profile.channels[name].genesis) for name in names}
    with profile.gateway(offices.regulator, "auditor") as gateway, HelperProcesses() as helpers:
        source, roots = OwnPeer(gateway), Roots(genesis, offices)
        audit = run_audit(source, roots, order["mtg"], order["database"], helpers=helpers)
        own = time.process_time()
        counted = signatures(source, audit)
    helped = resource.getrusage(resource.RUSAGE_CHILDREN)  # theirs, now that they ended
    begun = time.process_time()
    bare = bare_seconds(sum(counted.values()))
    return {
        "verdict": audit.verdict,
        "ballots": audit.counted,
        "seconds": round(audit.seconds, 3),
        "seconds_reconcile": round(audit.seconds_reconcile, 3),
        "discrepancies": len(audit.discrepancies),
        "blocks": dict(audit.blocks),
        "signatures": counted,
        "signature_seconds": round(bare, 3),
        "cpu_s": {
            "audit": round(own, 2),
            "helpers": round(helped.ru_utime + helped.ru_stime, 2),
            "signatures": round(time.process_time() - begun, 2),
        },
        "cores": os.cpu_count(),
    }


def signatures(source: BlockSource, audit: Audit) -> dict[str, int]:
    """Return how many signatures of each kind the audit had to verify."""
    found = {
        "ballots": audit.numbers["accepted"] + audit.numbers["refused"],
        "acknowledgements": audit.numbers["rows"],
        **dict.fromkeys(("certificates", "creators", "endorsements", "orderers"), 0),
    }
    for channel, height in audit.blocks.items():
        for raw in source.blocks(channel, 1, height):
            opened = open_block(raw, channel)
            found["orderers"] += len(opened.block.signatures)
            for one in opened.transactions:
                if isinstance(one, TransactionError):
                    continue
                found["creators"] += 1
                found["endorsements"] += len(one.endorsements)
                if one.function == "Enrol":
                    found["certificates"] += len(json.loads(one.arguments[1]))
    return found


def bare_seconds(count: int) -> float:
    """Return the seconds in which one process verifies `count` ECDSA P-256 signatures, and does no more."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(_MESSAGE, _ALGORITHM)
    begun = time.perf_counter()
    for _ in range(count):
        public.verify(signature, _MESSAGE, _ALGORITHM)
    return time.perf_counter() - begun


if __name__ == "__main__":
    json.dump(run(json.loads(sys.stdin.readline())), sys.stdout)
