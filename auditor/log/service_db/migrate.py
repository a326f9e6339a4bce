"""Schema upgrades by Alembic, run from code so that an installed wheel needs no configuration file."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "audit_service_version"
_LOCK = 0x4C4F4731  # any number, the same for every process: upgrades of one database queue up


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for the migrations in this package, on a connection of ours."""
    config = Config()
    config.set_main_option("script_location", "auditor.log.service_db:migrations")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    return config


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, in the transaction that the connection is in."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(configuration(connection), "head")
