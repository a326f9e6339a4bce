"""other doors' acknowledgements: numbers and times that can be compared."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = op.create_table(
        "door_words",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("ack", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "channel", "mtg", "door", "number", "seconds", "digest", name=op.f("pk_door_words")
        ),
    )
    # What was taken before had its signature and form verified then.
    taken = sa.text("SELECT channel, mtg, platform_ack FROM door_ballots WHERE platform_ack <> ''")
    rows = [_row(*row) for row in op.get_bind().execute(taken)]
    if rows:
        op.bulk_insert(words, rows)


def _row(channel: str, mtg: str, ack: str) -> dict[str, Any]:
    payload = ack.split(".")[1]
    word = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    seconds = int(datetime.fromisoformat(word["time"]).timestamp())
    said = {"door": word["door"], "number": word["no"], "seconds": seconds, "digest": word["digest"]}
    return {"channel": channel, "mtg": mtg, "ack": ack, "against": "", **said}


def downgrade() -> None:
    op.drop_table("door_words")
