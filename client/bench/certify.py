"""`bench enrol`: what a Fabric CA takes to register and certify lenders."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from client.bench.meter import processor_seconds
from client.bench.preparation import Settings, prepared
from client.enrolment.approvals import InsecureApprovals
from client.enrolment.lender import LenderKey
from client.rolls import Person

if TYPE_CHECKING:
    from pathlib import Path

    from client.bench.progress import Progress

NATION: Final = 390_000


def certify(home: Path, lenders: int, workers: int, progress: Progress) -> dict[str, Any]:
    """Certify new lenders by the institution's lender CA; return rate, processor time and extrapolation."""
    with prepared(home, Settings(lenders), progress) as bench:
        institution = bench.host.institution
        mark = secrets.token_hex(6)
        persons = [Person("张伟", "passport", f"E{mark}{number}") for number in range(lenders)]
        subs = bench.services.lenders().pseudonyms(institution, persons)
        bench.services.lenders().adopt(institution, zip(persons, subs, strict=True))
        keys = [LenderKey.generate(institution, sub) for sub in subs]
        service = bench.services.enrolment(institution, InsecureApprovals(), workers=workers)
        server = bench.host.pids()[f"ca.{bench.host.profile.org(institution).name}"]
        with progress.stage(f"certified by the lender CA, {workers} at a time", lenders) as advance:
            before, begin = processor_seconds(server) or 0.0, time.monotonic()
            service.certify(keys, lambda *_: advance(1))
            seconds, after = time.monotonic() - begin, processor_seconds(server) or 0.0
    return {
        "lenders": lenders,
        "workers": workers,
        "seconds": round(seconds, 2),
        "per_s": round(lenders / seconds, 2),
        "ca_cpu_s_per_lender": round((after - before) / lenders, 4),
        "hours_for_390000": round(NATION / (lenders / seconds) / 3600, 2),
    }
