"""A second history under the same name: two signed heads that can't both be true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.log.contradiction import contradict_audited
from tests.tampering.case import Case

if TYPE_CHECKING:
    import random

    from tests.unit.auditor.log.stage import LogStage


class Forks:
    """A lender's audited receipt, and heads of other histories that the same signer signs."""

    def __init__(self, stage: LogStage) -> None:
        self._stage = stage
        self._head = stage.publish().head
        self._receipts = {name: stage.audited(name).encode() for name in ("an", "bo")}

    def fork(self, draw: random.Random) -> Case:
        head, later = self._head, 1 + draw.randrange(1000)
        kind, other = draw.choice(
            (
                ("forked", replace(head, block_hash=draw.randbytes(32).hex())),
                ("same-block", replace(head, root=draw.randbytes(32))),
                ("same-block", replace(head, size=head.size + later)),
                ("same-size", replace(head, block=head.block + later, root=draw.randbytes(32))),
                ("shrunk", replace(head, block=head.block + later, size=head.size - 1)),
            )
        )
        name = draw.choice(sorted(self._receipts))
        signed = self._stage.signer.sign(other).encode()
        found = contradict_audited(self._receipts[name], signed, self._stage.trust, None)
        return Case("forks", f"{kind}, {name}", frozenset({kind}), frozenset({found.kind}))
