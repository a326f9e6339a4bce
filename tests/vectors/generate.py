"""Write the vectors: `python -m tests.vectors.generate`. The same bytes every time."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.encodings.codes import CODES
from tests.vectors.amendment_file import amendment
from tests.vectors.ballot_files import ballot_accept, ballot_reject
from tests.vectors.batch_file import batch
from tests.vectors.count_files import rules
from tests.vectors.mandate_file import mandate
from tests.vectors.meeting_file import meeting
from tests.vectors.merkle_file import merkle
from tests.vectors.object_files import acknowledgement, commitment, leaf, step
from tests.vectors.objection_file import objection
from tests.vectors.receipt_file import receipt
from tests.vectors.record_file import record

if TYPE_CHECKING:
    from collections.abc import Callable

FILES: dict[str, Callable[[], Any]] = {
    "acknowledgement.json": acknowledgement,
    "amendment.json": amendment,
    "ballot_accept.json": ballot_accept,
    "ballot_reject.json": ballot_reject,
    "batch.json": batch,
    "codes.json": lambda: CODES,
    "commitment.json": commitment,
    "leaf.json": leaf,
    "mandate.json": mandate,
    "meeting.json": meeting,
    "merkle.json": merkle,
    "objection.json": objection,
    "receipt.json": receipt,
    "record.json": record,
    "rules.json": rules,
    "step.json": step,
}


def render(name: str) -> bytes:
    """Return the bytes of one file."""
    return (json.dumps(FILES[name](), ensure_ascii=False, indent=1) + "\n").encode()


def main() -> None:
    """Write every file beside this one."""
    folder = Path(__file__).parent
    for name in FILES:
        data = render(name)
        (folder / name).write_bytes(data)
        sys.stdout.write(f"{name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
