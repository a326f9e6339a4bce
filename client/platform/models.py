"""Tables of the platform's database, as typed SQLAlchemy models.

Times are text (`YYYY-MM-DDTHH:MM:SSZ`), except what only the relay's scheduling reads (Unix seconds).
Columns called `…_encrypted` hold what `Vault` sealed; nothing personal stands anywhere else.
Independent verification reads these tables by name: a change here needs a migration and a look at it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only where the key is exactly INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """Base of all tables, with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text(), bytes: LargeBinary(), float: Double()}  # noqa: RUF012  SQLAlchemy's form


class Lender(Base):
    """A person with a claim on one institution, under the random pseudonym `sub`."""

    __tablename__ = "lenders"
    __table_args__ = (
        UniqueConstraint("institution", "sub"),
        UniqueConstraint("institution", "person_index", name="uq_lenders_person_index"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    institution: Mapped[str]
    sub: Mapped[str]
    person_encrypted: Mapped[bytes]
    person_index: Mapped[bytes]  # Vault.blind_index of the identity document
    status: Mapped[str]  # imported | registered | certified | enrolled | revoked
    secret_encrypted: Mapped[bytes | None]  # single-use, until the certificate is there
    x5t: Mapped[str | None]
    certificate: Mapped[str | None]  # standard base64 of the DER
    method: Mapped[str | None]
    commitment: Mapped[str | None]
    evidence_encrypted: Mapped[bytes | None]
    rev: Mapped[int]  # of the enrolment on `identity`, 0 before there is one
    enrolment_tx: Mapped[str | None]
    code: Mapped[str | None]  # why the last enrolment was refused
    created_at: Mapped[str]


class Meeting(Base):
    """A meeting's frozen record, and the state that this platform last saw on the channel."""

    __tablename__ = "meetings"

    mtg: Mapped[str] = mapped_column(primary_key=True)
    institution: Mapped[str]
    channel: Mapped[str]
    record: Mapped[str]  # JCS
    mh: Mapped[str]
    cap: Mapped[bytes]  # CBOR [*bstr32]
    state: Mapped[str]
    created_at: Mapped[str]


class MeetingStep(Base):
    """A step in a meeting's life, as proposed and as confirmed."""

    __tablename__ = "meeting_steps"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    mtg: Mapped[str] = mapped_column(ForeignKey("meetings.mtg"), index=True)
    step: Mapped[str]  # JCS
    digest: Mapped[str]
    proposed_tx: Mapped[str | None]
    confirmed_tx: Mapped[str | None]
    created_at: Mapped[str]


class RollEntry(Base):
    """One leaf of a meeting's frozen roll, at its index in the tree."""

    __tablename__ = "roll_entries"
    __table_args__ = (UniqueConstraint("mtg", "idx"),)

    mtg: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    idx: Mapped[int]
    leaf: Mapped[bytes]  # JCS


class IdentitySession(Base):
    """One identity check, recorded on `identity` before the choices were shown."""

    __tablename__ = "sessions"

    ses: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(index=True)
    x5t: Mapped[str]
    institution: Mapped[str]
    mtg: Mapped[str]
    method: Mapped[str]
    outcome: Mapped[str]
    commitment: Mapped[str]
    issued_at: Mapped[str]
    expires_at: Mapped[str]
    act: Mapped[str | None]  # the principal whose ballot a proxy will cast
    evidence_encrypted: Mapped[bytes | None]  # evidence and salt; deleting it removes the evidence
    status: Mapped[str]  # prepared | recorded | refused
    code: Mapped[str | None]
    tx: Mapped[str | None]


class Ballot(Base):
    """A ballot that a door acknowledged, and what became of it."""

    __tablename__ = "ballots"
    __table_args__ = (
        UniqueConstraint("mtg", "digest"),
        UniqueConstraint("mtg", "door", "ack_no", name="uq_ballots_ack"),
        Index("ix_ballots_voter", "mtg", "sub"),
        Index("ix_ballots_session", "mtg", "ses"),
        Index("ix_ballots_tx", "tx"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    mtg: Mapped[str]
    sub: Mapped[str]
    seq: Mapped[int]
    digest: Mapped[str]
    jws: Mapped[str]
    choices: Mapped[str]  # JCS of the ballot's votes
    claims: Mapped[str]  # JCS of the leaf's claims
    ses: Mapped[str]
    proxy: Mapped[str | None]  # who signed it in the voter's place
    door: Mapped[str]
    ack_no: Mapped[int] = mapped_column(BigInteger)
    ack_time: Mapped[str]
    ack_jws: Mapped[str]
    status: Mapped[str]  # queued (on its way, `outbox` says how far) | committed | refused
    code: Mapped[str | None]  # the chaincode's last word while it isn't committed
    tx: Mapped[str | None]
    block: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[str]


class Mandate(Base):
    """A mandate that this platform brought to the channel; the channel says whether it is in force."""

    __tablename__ = "mandates"

    digest: Mapped[str] = mapped_column(primary_key=True)
    mtg: Mapped[str]
    sub: Mapped[str]  # the principal
    proxy: Mapped[str]
    no: Mapped[int]
    jws: Mapped[str]


class AckCounter(Base):
    """The last number that a door gave at a meeting; locked by whoever gives the next."""

    __tablename__ = "ack_counters"

    mtg: Mapped[str] = mapped_column(primary_key=True)
    door: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class Batch(Base):
    """Ballots on their way to the chain together, owned by one relay until its lease ends."""

    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(primary_key=True)
    root: Mapped[str]  # the batch it was split from at first: they share their attempts
    mtg: Mapped[str]
    door: Mapped[str]
    relay: Mapped[str]
    lease_until: Mapped[float]
    not_before: Mapped[float]
    attempts: Mapped[int]
    claimed_at: Mapped[float] = mapped_column(server_default="0")  # when its ballots were first read


class BatchAttempt(Base):
    """A transaction that may have carried a batch's ballots; written before it is sent."""

    __tablename__ = "batch_attempts"

    tx: Mapped[str] = mapped_column(primary_key=True)
    root: Mapped[str] = mapped_column(index=True)
    ballots: Mapped[str]  # JSON: the ballots' ids in the order of the batch
    verdicts: Mapped[str]  # what the endorsers answered, JSON
    code: Mapped[str | None]  # the validation code once it is known
    block: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[str]


class OutboxEntry(Base):
    """An acknowledged ballot that is not settled yet; gone once the chain has spoken."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_queue", "mtg", "door", "ballot"),
        Index("ix_outbox_voter", "mtg", "sub", "ballot"),
        Index("ix_outbox_batch", "batch"),
        # At most one ballot of a voter in flight, whatever the relays do.
        Index(
            "uq_outbox_in_flight",
            "mtg",
            "sub",
            unique=True,
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )

    ballot: Mapped[int] = mapped_column(
        RowId, ForeignKey("ballots.id"), primary_key=True, autoincrement=False
    )
    mtg: Mapped[str]
    door: Mapped[str]
    sub: Mapped[str]
    entry: Mapped[bytes]  # the ballot's batch entry, deterministic CBOR
    queued_at: Mapped[float]
    not_before: Mapped[float]
    deadline: Mapped[float]
    attempts: Mapped[int]
    parked: Mapped[bool]  # past its deadline: kept as evidence, no longer sent
    batch: Mapped[str | None] = mapped_column(ForeignKey("batches.id"))


class Result(Base):
    """The result that the channel wrote when the meeting closed."""

    __tablename__ = "results"

    mtg: Mapped[str] = mapped_column(ForeignKey("meetings.mtg"), primary_key=True)
    result: Mapped[str]  # JCS
