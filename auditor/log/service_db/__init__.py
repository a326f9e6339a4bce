"""The verification service's own database: SQLite or PostgreSQL, nothing of the platform's in it."""

from __future__ import annotations

from auditor.log.service_db.book import LogBook, StoredLeaf
from auditor.log.service_db.database import ServiceDatabase, database_url

__all__ = ["LogBook", "ServiceDatabase", "StoredLeaf", "database_url"]
