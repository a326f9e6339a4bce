"""The tables of the log: leaves, the nodes of complete subtrees, and signed heads, per meeting."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LEAVES = Table(
    "log_leaves",
    METADATA,
    Column("mtg", Text, nullable=False),
    Column("number", BigInteger, nullable=False),  # the leaf's index in the tree
    Column("digest", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),  # its canonical bytes
    Column("block", BigInteger, nullable=False),
    PrimaryKeyConstraint("mtg", "number"),
    UniqueConstraint("mtg", "digest", name="uq_log_leaves_digest"),
    Index("ix_log_leaves_block", "mtg", "block"),
)

NODES = Table(
    "log_nodes",
    METADATA,
    Column("mtg", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("mtg", "level", "number"),
)

HEADS = Table(
    "log_heads",
    METADATA,
    Column("mtg", Text, nullable=False),
    Column("number", BigInteger, nullable=False),  # of the meeting's heads, from 1
    Column("size", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),  # the head's file: JWS and certificates
    PrimaryKeyConstraint("mtg", "number"),
)
