"""The channel's state as its valid transactions left it, and whether a transaction read it fresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import TransactionError
from auditor.readwrite import Version
from auditor.store import TEXT, Codec, read_ahead

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from auditor.readwrite import RangeRead, ReadWriteSet
    from auditor.store import Tables
    from auditor.transactions import Transaction

STEP_FRESH = 11
_PARTED = "\n"  # which no chaincode's name has

VERSIONS = Codec[Version](lambda version: [version.block, version.position], lambda values: Version(*values))


@dataclass(slots=True)
class World:
    """Namespace and key to version, and the transaction ids seen; values are the replay's business."""

    versions: MutableMapping[str, Version] = field(default_factory=dict)
    identifiers: MutableMapping[str, str] = field(default_factory=dict)

    @classmethod
    def kept(cls, tables: Tables, channel: str) -> World:
        """Return the world that is kept for a channel."""
        return cls(tables.table(f"{channel}/versions", VERSIONS), tables.table(f"{channel}/ids", TEXT))

    def seen(self, tx_id: str) -> None:
        """Remember a transaction's id."""
        self.identifiers[tx_id] = ""

    def apply(self, transaction: Transaction) -> None:
        """Take over a valid transaction's writes."""
        version = Version(transaction.block, transaction.position)
        for one in transaction.sets:
            before = one.namespace + _PARTED
            for write in one.writes:
                if not write.value:  # Fabric deletes for an empty value, too (IsKVWriteDelete)
                    self.versions.pop(before + write.key, None)
                else:
                    self.versions[before + write.key] = version

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
        before = one.namespace + _PARTED
        read_ahead(self.versions, (before + read.key for read in one.reads))
        for read in one.reads:
            current = self.versions.get(before + read.key)
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
        before = namespace + _PARTED
        keys = (place.removeprefix(before) for place in self.versions if place.startswith(before))
        held = sorted(
            key for key in keys if query.start <= key and (key < query.end or not query.end)
        )  # an empty end is none
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
