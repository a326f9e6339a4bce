"""One meeting's log in the database: its nodes as a tree's store, its leaves, its heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text, union_all

from auditor.errors import AuditUnavailable
from auditor.log.head import SignedHead, parse_head_file
from auditor.log.leaf import LogLeaf, parse_leaf
from auditor.log.service_db.tables import HEADS, LEAVES, NODES
from auditor.log.tree import LogTree, Place
from client.encodings import merkle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf and its index in the tree."""

    index: int
    leaf: LogLeaf


class LogBook:
    """What a connection's transaction sees of one meeting's log, and adds to it.

    Also the tree's node store. Nothing is durable before the transaction commits.
    """

    def __init__(self, connection: Connection, mtg: str) -> None:
        self._connection = connection
        self.mtg = mtg

    def lock(self) -> None:
        """Let one writer at a time continue this log, until the transaction ends."""
        if self._connection.dialect.name == "postgresql":  # SQLite has locked the whole file already
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:mtg, 0))")
            self._connection.execute(statement, {"mtg": f"log {self.mtg}"})

    def tree(self) -> LogTree:
        """Return the tree as it is stored now."""
        return LogTree(self)

    # The tree's store

    def size(self) -> int:
        """Return how many leaves there are."""
        query = select(func.max(LEAVES.c.number)).where(LEAVES.c.mtg == self.mtg)
        last = self._connection.execute(query).scalar()
        return 0 if last is None else int(last) + 1

    def nodes(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """Return the hashes at places."""
        if not places:
            return {}
        levels: dict[int, list[int]] = {}
        for place in places:
            levels.setdefault(place.level, []).append(place.number)
        # One query a level: over several at once SQLite reads the whole tree instead of its index.
        columns = select(NODES.c.level, NODES.c.number, NODES.c.hash)
        query = union_all(
            *(
                columns.where(NODES.c.mtg == self.mtg, NODES.c.level == level, NODES.c.number.in_(some))
                for level, some in levels.items()
            )
        )
        rows = self._connection.execute(query)
        found = {Place(level, number): bytes(value) for level, number, value in rows}
        if missing := set(places) - found.keys():
            raise AuditUnavailable(
                f"the log of {self.mtg} is damaged: node {min(missing)} is gone; restore the audit database"
            )
        return found

    def add(self, nodes: Sequence[tuple[Place, bytes]]) -> None:
        """Keep new nodes."""
        rows = [
            {"mtg": self.mtg, "level": place.level, "number": place.number, "hash": value}
            for place, value in nodes
        ]
        self._connection.execute(insert(NODES), rows)

    # Leaves

    def append(self, leaves: Sequence[LogLeaf]) -> None:
        """Append leaves and their nodes."""
        if not leaves:
            return
        tree, encoded = self.tree(), [one.encode() for one in leaves]
        rows = [
            {"mtg": self.mtg, "number": number, "digest": one.digest, "leaf": data, "block": one.block}
            for number, (one, data) in enumerate(zip(leaves, encoded, strict=True), tree.size)
        ]
        self._connection.execute(insert(LEAVES), rows)
        tree.extend(merkle.leaf_hash(data) for data in encoded)

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[StoredLeaf]:
        """Yield the leaves `start` to `stop - 1`, in order, a page at a time."""
        for number, data in self.encoded_leaves(start, stop):
            yield StoredLeaf(number, parse_leaf(data))

    def encoded_leaves(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield index and canonical bytes of the leaves `start` to `stop - 1`, in order, a page at a time."""
        end = self.size() if stop is None else stop
        columns = select(LEAVES.c.number, LEAVES.c.leaf).where(LEAVES.c.mtg == self.mtg)
        while start < end:
            page = min(start + _PAGE, end)
            query = columns.where(LEAVES.c.number >= start, LEAVES.c.number < page)
            for number, leaf in self._connection.execute(query.order_by(LEAVES.c.number)).all():
                yield number, bytes(leaf)
            start = page

    def find(self, digest: str) -> StoredLeaf | None:
        """Return the leaf of a ballot, None where the log has none."""
        query = select(LEAVES.c.number, LEAVES.c.leaf).where(
            LEAVES.c.mtg == self.mtg, LEAVES.c.digest == digest
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else StoredLeaf(row[0], parse_leaf(bytes(row[1])))

    def block_range(self, block: int, size: int) -> tuple[int, int]:
        """Return where a block's leaves begin and end (exclusive) among the first `size`."""
        among = (LEAVES.c.mtg == self.mtg, LEAVES.c.number < size)
        counts = select(
            func.count().filter(LEAVES.c.block < block), func.count().filter(LEAVES.c.block <= block)
        ).where(*among)
        before, through = self._connection.execute(counts).one()
        return int(before), int(through)

    # Heads

    def heads(self) -> Iterator[SignedHead]:
        """Yield every head that was signed, the first one first."""
        query = select(HEADS.c.document).where(HEADS.c.mtg == self.mtg).order_by(HEADS.c.number)
        for document in self._connection.execute(query).scalars():
            yield parse_head_file(bytes(document))

    def last_head(self) -> SignedHead | None:
        """Return the newest head, None before there is one."""
        query = (
            select(HEADS.c.document).where(HEADS.c.mtg == self.mtg).order_by(HEADS.c.number.desc()).limit(1)
        )
        document = self._connection.execute(query).scalar()
        return None if document is None else parse_head_file(bytes(document))

    def keep_head(self, signed: SignedHead) -> None:
        """Keep a head as the newest."""
        query = select(func.coalesce(func.max(HEADS.c.number), 0)).where(HEADS.c.mtg == self.mtg)
        number = int(self._connection.execute(query).scalar_one()) + 1
        row = {"mtg": self.mtg, "number": number, "size": signed.head.size, "block": signed.head.block}
        self._connection.execute(insert(HEADS), [{**row, "document": signed.encode()}])
