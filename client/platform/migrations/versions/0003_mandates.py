"""mandates, and who acts for whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mandates",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("jws", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.add_column("sessions", sa.Column("act", sa.Text(), nullable=True))
    op.add_column("ballots", sa.Column("proxy", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("ballots", "proxy")
    op.drop_column("sessions", "act")
    op.drop_table("mandates")
