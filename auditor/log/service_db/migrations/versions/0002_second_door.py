"""the second door: ballots taken, numbered without gaps, on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "door_ballots",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("ack_time", sa.Text(), nullable=False),
        sa.Column("ack", sa.Text(), nullable=False),
        sa.Column("platform_ack", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tx", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "mtg", "number", name=op.f("pk_door_ballots")),
        sa.UniqueConstraint("channel", "mtg", "digest", name="uq_door_ballots_digest"),
    )
    op.create_index("ix_door_ballots_status", "door_ballots", ["status"], unique=False)


def downgrade() -> None:
    op.drop_table("door_ballots")
