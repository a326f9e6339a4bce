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

DOOR_BALLOTS = Table(
    "door_ballots",
    METADATA,
    Column("channel", Text, nullable=False),
    Column("mtg", Text, nullable=False),
    Column("number", BigInteger, nullable=False),  # the acknowledgement's, from 1 a meeting
    Column("digest", Text, nullable=False),
    Column("sub", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("proxy", Text, nullable=False),  # who signed in the voter's place, empty for nobody
    Column("entry", LargeBinary, nullable=False),  # as it goes into a batch
    Column("ack_time", Text, nullable=False),
    Column("ack", Text, nullable=False),  # the door's own
    Column("platform_ack", Text, nullable=False),  # the platform's, where the lender had one in hand
    Column("status", Text, nullable=False),  # queued, accepted, refused
    Column("code", Text, nullable=False),
    Column("tx", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),  # how often it went into a batch
    PrimaryKeyConstraint("channel", "mtg", "number"),
    UniqueConstraint("channel", "mtg", "digest", name="uq_door_ballots_digest"),
    Index("ix_door_ballots_status", "status"),
)

DOOR_WORDS = Table(
    "door_words",
    METADATA,
    Column("channel", Text, nullable=False),
    Column("mtg", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("number", BigInteger, nullable=False),  # the acknowledgement's, in that door's own sequence
    Column("seconds", BigInteger, nullable=False),  # its time, since 1970
    Column("digest", Text, nullable=False),
    Column("ack", Text, nullable=False),
    Column("against", Text, nullable=False),  # JSON: what it contradicts, empty for nothing
    PrimaryKeyConstraint("channel", "mtg", "door", "number", "seconds", "digest"),
)

DOOR_OBJECTIONS = Table(
    "door_objections",
    METADATA,
    Column("channel", Text, nullable=False),
    Column("mtg", Text, nullable=False),
    Column("obj", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("sub", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("ack_time", Text, nullable=False),
    Column("ack", Text, nullable=False),  # the door's own
    Column("status", Text, nullable=False),  # queued, accepted, refused
    Column("code", Text, nullable=False),
    Column("tx", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("channel", "mtg", "obj"),
    Index("ix_door_objections_status", "status"),
)
