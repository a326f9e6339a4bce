"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "ack_counters",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", "door", name=op.f("pk_ack_counters")),
    )
    op.create_table(
        "ballots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("ses", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("ack_no", sa.BigInteger(), nullable=False),
        sa.Column("ack_time", sa.Text(), nullable=False),
        sa.Column("ack_jws", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("tx", sa.Text(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballots")),
        sa.UniqueConstraint("mtg", "digest", name=op.f("uq_ballots_mtg")),
        sa.UniqueConstraint("mtg", "door", "ack_no", name="uq_ballots_ack"),
    )
    with op.batch_alter_table("ballots", schema=None) as batch_op:
        batch_op.create_index("ix_ballots_tx", ["tx"], unique=False)
        batch_op.create_index("ix_ballots_session", ["mtg", "ses"], unique=False)
        batch_op.create_index("ix_ballots_voter", ["mtg", "sub"], unique=False)

    op.create_table(
        "batch_attempts",
        sa.Column("tx", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("ballots", sa.Text(), nullable=False),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tx", name=op.f("pk_batch_attempts")),
    )
    with op.batch_alter_table("batch_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_attempts_root"), ["root"], unique=False)

    op.create_table(
        "batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("relay", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "lenders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("person_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("secret_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("x5t", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("commitment", sa.Text(), nullable=True),
        sa.Column("evidence_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("enrolment_tx", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lenders")),
        sa.UniqueConstraint("institution", "person_index", name="uq_lenders_person_index"),
        sa.UniqueConstraint("institution", "sub", name=op.f("uq_lenders_institution")),
    )
    op.create_table(
        "meetings",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("mh", sa.Text(), nullable=False),
        sa.Column("cap", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", name=op.f("pk_meetings")),
    )
    op.create_table(
        "roll_entries",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", "sub", name=op.f("pk_roll_entries")),
        sa.UniqueConstraint("mtg", "idx", name=op.f("uq_roll_entries_mtg")),
    )
    op.create_table(
        "sessions",
        sa.Column("ses", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("x5t", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("evidence_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("tx", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ses", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_sub"), ["sub"], unique=False)

    op.create_table(
        "meeting_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("proposed_tx", sa.Text(), nullable=True),
        sa.Column("confirmed_tx", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mtg"], ["meetings.mtg"], name=op.f("fk_meeting_steps_mtg")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_steps")),
    )
    with op.batch_alter_table("meeting_steps", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_steps_mtg"), ["mtg"], unique=False)

    op.create_table(
        "outbox",
        sa.Column(
            "ballot",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("queued_at", sa.Double(), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("deadline", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked", sa.Boolean(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ballot"], ["ballots.id"], name=op.f("fk_outbox_ballot")),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name=op.f("fk_outbox_batch")),
        sa.PrimaryKeyConstraint("ballot", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_batch", ["batch"], unique=False)
        batch_op.create_index("ix_outbox_queue", ["mtg", "door", "ballot"], unique=False)
        batch_op.create_index("ix_outbox_voter", ["mtg", "sub", "ballot"], unique=False)
        batch_op.create_index(
            "uq_outbox_in_flight",
            ["mtg", "sub"],
            unique=True,
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_where=sa.text("batch IS NOT NULL"),
        )

    op.create_table(
        "results",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mtg"], ["meetings.mtg"], name=op.f("fk_results_mtg")),
        sa.PrimaryKeyConstraint("mtg", name=op.f("pk_results")),
    )


def downgrade() -> None:

    op.drop_table("results")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_outbox_in_flight",
            sqlite_where=sa.text("batch IS NOT NULL"),
            postgresql_where=sa.text("batch IS NOT NULL"),
        )
        batch_op.drop_index("ix_outbox_voter")
        batch_op.drop_index("ix_outbox_queue")
        batch_op.drop_index("ix_outbox_batch")

    op.drop_table("outbox")
    with op.batch_alter_table("meeting_steps", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_meeting_steps_mtg"))

    op.drop_table("meeting_steps")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_sub"))

    op.drop_table("sessions")
    op.drop_table("roll_entries")
    op.drop_table("meetings")
    op.drop_table("lenders")
    op.drop_table("batches")
    with op.batch_alter_table("batch_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_attempts_root"))

    op.drop_table("batch_attempts")
    with op.batch_alter_table("ballots", schema=None) as batch_op:
        batch_op.drop_index("ix_ballots_session")
        batch_op.drop_index("ix_ballots_voter")
        batch_op.drop_index("ix_ballots_tx")

    op.drop_table("ballots")
    op.drop_table("ack_counters")
