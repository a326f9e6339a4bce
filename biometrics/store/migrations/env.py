"""Alembic's environment: always on the connection that `biometrics.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from biometrics.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=context.config.attributes["version_table"],
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
