"""The verification service's own database: SQLite or PostgreSQL, nothing of the platform's in it."""

from __future__ import annotations

from auditor.log.service_db.book import LogBook, StoredLeaf
from auditor.log.service_db.database import ServiceDatabase, database_url
from auditor.log.service_db.taken import DoorBook, TakenBallot

__all__ = ["DoorBook", "LogBook", "ServiceDatabase", "StoredLeaf", "TakenBallot", "database_url"]
