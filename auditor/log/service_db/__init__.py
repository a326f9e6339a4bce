"""The verification service's own database: SQLite or PostgreSQL, nothing of the platform's in it."""

from __future__ import annotations

from auditor.log.service_db.book import LogBook, StoredLeaf
from auditor.log.service_db.database import ServiceDatabase, database_url
from auditor.log.service_db.objections import ObjectionBook, TakenObjection
from auditor.log.service_db.taken import DoorBook, TakenBallot
from auditor.log.service_db.words import KeptWord, WordBook

__all__ = [
    "DoorBook",
    "KeptWord",
    "LogBook",
    "ObjectionBook",
    "ServiceDatabase",
    "StoredLeaf",
    "TakenBallot",
    "TakenObjection",
    "WordBook",
    "database_url",
]
