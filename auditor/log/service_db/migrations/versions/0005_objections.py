"""objections that the second door took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "door_objections",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("obj", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.Column("ack_time", sa.Text(), nullable=False),
        sa.Column("ack", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tx", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("channel", "mtg", "obj", name=op.f("pk_door_objections")),
    )
    op.create_index("ix_door_objections_status", "door_objections", ["status"], unique=False)


def downgrade() -> None:
    op.drop_table("door_objections")
