"""what retention goes by, who settled a meeting, and the machine's evidence of a review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("identity_limits", schema=None) as batch_op:
        # Rows of before say nothing about when: they count as old, and go with the next retention run.
        batch_op.add_column(sa.Column("last_at", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.alter_column("last_at", server_default=None)
        batch_op.create_index(batch_op.f("ix_identity_limits_last_at"), ["last_at"], unique=False)

    with op.batch_alter_table("identity_settlements", schema=None) as batch_op:
        for name in ("institution", "officer", "statement"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
            batch_op.alter_column(name, server_default=None)

    with op.batch_alter_table("identity_cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("automatic_encrypted", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("identity_cases", schema=None) as batch_op:
        batch_op.drop_column("automatic_encrypted")

    with op.batch_alter_table("identity_settlements", schema=None) as batch_op:
        for name in ("statement", "officer", "institution"):
            batch_op.drop_column(name)

    with op.batch_alter_table("identity_limits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_limits_last_at"))
        batch_op.drop_column("last_at")
