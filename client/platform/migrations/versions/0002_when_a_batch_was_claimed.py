"""when a batch was claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a copy of the table: the outbox refers to it.
    op.add_column("batches", sa.Column("claimed_at", sa.Double(), nullable=False, server_default="0"))
    op.execute("UPDATE batches SET claimed_at = not_before")


def downgrade() -> None:
    op.drop_column("batches", "claimed_at")
