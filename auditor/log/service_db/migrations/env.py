"""Alembic's environment: always on the connection that `auditor.log.service_db.migrate` hands over."""

from __future__ import annotations

from alembic import context

from auditor.log.service_db.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=context.config.attributes["version_table"],
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
