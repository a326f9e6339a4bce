"""The channel's state as its valid transactions left it, and whether a transaction read it fresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import TransactionError
from auditor.readwrite import Version

if TYPE_CHECKING:
    from auditor.readwrite import RangeRead, ReadWriteSet
    from auditor.transactions import Transaction

STEP_FRESH = 11


@dataclass(slots=True)
class World:
    """Key to version, per namespace, and the transaction ids seen; values are the replay's business."""

    versions: dict[str, dict[str, Version]] = field(default_factory=dict)
    identifiers: set[str] = field(default_factory=set)

    def version(self, namespace: str, key: str) -> Version | None:
        """Return where a key was last written, None where there is no such key."""
        return self.versions.get(namespace, {}).get(key)

    def apply(self, transaction: Transaction) -> None:
        """Take over a valid transaction's writes."""
        version = Version(transaction.block, transaction.position)
        for one in transaction.sets:
            namespace = self.versions.setdefault(one.namespace, {})
            for write in one.writes:
                if write.value is None:
                    namespace.pop(write.key, None)
                else:
                    namespace[write.key] = version

    def verify_fresh(self, transaction: Transaction) -> None:
        """Step 11: first of its id, writing only its own namespace, every read still current."""
        if transaction.tx_id in self.identifiers:
            raise TransactionError(STEP_FRESH, transaction.where, "its id was used before")
        for one in transaction.sets:
            if one.namespace != transaction.chaincode and (one.writes or one.metadata_writes):
                raise TransactionError(
                    STEP_FRESH,
                    transaction.where,
                    "it writes another chaincode's state",
                    expected=transaction.chaincode,
                    found=one.namespace,
                )
            self._verify_reads(one, transaction.where)

    def _verify_reads(self, one: ReadWriteSet, where: str) -> None:
        namespace = self.versions.get(one.namespace, {})
        for read in one.reads:
            current = namespace.get(read.key)
            if current != read.version:
                raise TransactionError(
                    STEP_FRESH,
                    where,
                    f"a stale read of {one.namespace} {printable(read.key)}",
                    expected=current,
                    found=read.version,
                )
        for query in one.ranges:
            self._verify_range(one.namespace, query, where)

    def _verify_range(self, namespace: str, query: RangeRead, where: str) -> None:
        if query.reads is None:
            return
        held = sorted(key for key in self.versions.get(namespace, {}) if query.start <= key < query.end)
        read = [one.key for one in query.reads]
        if not query.exhausted and read:
            held = [key for key in held if key <= read[-1]]
        if held != read:
            raise TransactionError(
                STEP_FRESH,
                where,
                f"a range query from {printable(query.start)} that no longer holds",
                expected=len(held),
                found=len(read),
            )


def printable(key: str) -> str:
    """Return a composite key with its separators as `~`, as documents write them."""
    return key.strip("\x00").replace("\x00", "~")
