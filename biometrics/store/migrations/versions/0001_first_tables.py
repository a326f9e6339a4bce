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
        "identity_checks",
        sa.Column("ses", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("complete_before", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("opening_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("ses", name=op.f("pk_identity_checks")),
        sa.UniqueConstraint("nonce", name=op.f("uq_identity_checks_nonce")),
    )
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.create_index("ix_identity_checks_lender", ["institution", "sub", "scope"], unique=False)
        batch_op.create_index(batch_op.f("ix_identity_checks_state"), ["state"], unique=False)

    op.create_table(
        "identity_consents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("text_digest", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_consents")),
    )
    with op.batch_alter_table("identity_consents", schema=None) as batch_op:
        batch_op.create_index("ix_identity_consents_lender", ["institution", "sub"], unique=False)

    op.create_table(
        "identity_deletions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_deletions")),
    )
    with op.batch_alter_table("identity_deletions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_deletions_deleted_at"), ["deleted_at"], unique=False)

    op.create_table(
        "identity_invitations",
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("secret_index", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("institution", "sub", name=op.f("pk_identity_invitations")),
    )
    op.create_table(
        "identity_limits",
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("consecutive", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("institution", "sub", "scope", name=op.f("pk_identity_limits")),
    )
    op.create_table(
        "identity_officers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("x5t", sa.Text(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_officers")),
        sa.UniqueConstraint("x5t", name=op.f("uq_identity_officers_x5t")),
    )
    op.create_table(
        "identity_reference_photos",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("photo_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_reference_photos")),
        sa.UniqueConstraint(
            "institution", "sub", "kind", name=op.f("uq_identity_reference_photos_institution")
        ),
    )
    op.create_table(
        "identity_seen_frames",
        sa.Column("frame_index", sa.LargeBinary(), nullable=False),
        sa.Column("ses", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("frame_index", name=op.f("pk_identity_seen_frames")),
    )
    with op.batch_alter_table("identity_seen_frames", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_seen_frames_scope"), ["scope"], unique=False)

    op.create_table(
        "identity_settlements",
        sa.Column("mtg", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mtg", name=op.f("pk_identity_settlements")),
    )
    op.create_table(
        "identity_slots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_slots")),
    )
    with op.batch_alter_table("identity_slots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_slots_institution"), ["institution"], unique=False)

    op.create_table(
        "identity_used_proofs",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_identity_used_proofs")),
    )
    with op.batch_alter_table("identity_used_proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_used_proofs_used_at"), ["used_at"], unique=False)

    op.create_table(
        "identity_bookings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("booked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["slot"], ["identity_slots.id"], name=op.f("fk_identity_bookings_slot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_bookings")),
    )
    with op.batch_alter_table("identity_bookings", schema=None) as batch_op:
        batch_op.create_index(
            "uq_identity_bookings_standing",
            ["institution", "sub", "scope"],
            unique=True,
            sqlite_where=sa.text("state = 'booked'"),
            postgresql_where=sa.text("state = 'booked'"),
        )

    op.create_table(
        "identity_cases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("ses", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("needed", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("decide_before", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"], ["identity_bookings.id"], name=op.f("fk_identity_cases_booking")
        ),
        sa.ForeignKeyConstraint(["ses"], ["identity_checks.ses"], name=op.f("fk_identity_cases_ses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_cases")),
    )
    with op.batch_alter_table("identity_cases", schema=None) as batch_op:
        batch_op.create_index("ix_identity_cases_lender", ["institution", "sub"], unique=False)
        batch_op.create_index(batch_op.f("ix_identity_cases_state"), ["state"], unique=False)

    op.create_table(
        "identity_case_frames",
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("frame_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["identity_cases.id"], name=op.f("fk_identity_case_frames_case")),
        sa.PrimaryKeyConstraint("case", "number", name=op.f("pk_identity_case_frames")),
    )
    with op.batch_alter_table("identity_case_frames", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_case_frames_kept_at"), ["kept_at"], unique=False)

    op.create_table(
        "identity_decisions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("officer", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["identity_cases.id"], name=op.f("fk_identity_decisions_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_decisions")),
        sa.UniqueConstraint("case", "officer", name=op.f("uq_identity_decisions_case")),
    )


def downgrade() -> None:
    op.drop_table("identity_decisions")
    with op.batch_alter_table("identity_case_frames", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_case_frames_kept_at"))

    op.drop_table("identity_case_frames")
    with op.batch_alter_table("identity_cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_cases_state"))
        batch_op.drop_index("ix_identity_cases_lender")

    op.drop_table("identity_cases")
    with op.batch_alter_table("identity_bookings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_identity_bookings_standing",
            sqlite_where=sa.text("state = 'booked'"),
            postgresql_where=sa.text("state = 'booked'"),
        )

    op.drop_table("identity_bookings")
    with op.batch_alter_table("identity_used_proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_used_proofs_used_at"))

    op.drop_table("identity_used_proofs")
    with op.batch_alter_table("identity_slots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_slots_institution"))

    op.drop_table("identity_slots")
    op.drop_table("identity_settlements")
    with op.batch_alter_table("identity_seen_frames", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_seen_frames_scope"))

    op.drop_table("identity_seen_frames")
    op.drop_table("identity_reference_photos")
    op.drop_table("identity_officers")
    op.drop_table("identity_limits")
    op.drop_table("identity_invitations")
    with op.batch_alter_table("identity_deletions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_deletions_deleted_at"))

    op.drop_table("identity_deletions")
    with op.batch_alter_table("identity_consents", schema=None) as batch_op:
        batch_op.drop_index("ix_identity_consents_lender")

    op.drop_table("identity_consents")
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_checks_state"))
        batch_op.drop_index("ix_identity_checks_lender")

    op.drop_table("identity_checks")
