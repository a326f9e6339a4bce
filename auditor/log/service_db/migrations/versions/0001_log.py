"""the log: leaves, nodes, heads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_leaves",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", "number", name=op.f("pk_log_leaves")),
        sa.UniqueConstraint("mtg", "digest", name="uq_log_leaves_digest"),
    )
    op.create_index("ix_log_leaves_block", "log_leaves", ["mtg", "block"], unique=False)
    op.create_table(
        "log_nodes",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", "level", "number", name=op.f("pk_log_nodes")),
    )
    op.create_table(
        "log_heads",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", "number", name=op.f("pk_log_heads")),
    )


def downgrade() -> None:
    for name in ("log_heads", "log_nodes", "log_leaves"):
        op.drop_table(name)
