"""The platform's database: what the Association's service remembers between two transactions on the chain.

`Database` opens (and upgrades) it, `Vault` seals personal data before it gets there.
"""

from __future__ import annotations

from client.platform.database import Database, database_url
from client.platform.vault import SealedError, Vault

__all__ = ["Database", "SealedError", "Vault", "database_url"]
