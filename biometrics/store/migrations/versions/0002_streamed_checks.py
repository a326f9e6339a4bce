"""streamed checks: the challenge stays in memory; how long the decision took is noted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Checks that were being decided when the former version stopped have no frames any more.
    op.execute("UPDATE identity_checks SET state = 'open' WHERE state = 'deciding'")
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.drop_column("challenge")
        batch_op.add_column(sa.Column("decision_ms", sa.BigInteger(), nullable=True))
