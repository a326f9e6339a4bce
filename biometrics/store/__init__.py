"""What the identity service remembers: checks, limits, consents, references, reviews, slots, deletions.

`Database` opens (and upgrades) it; `Sealer` seals whatever is personal before it gets there, with a
key that is kept elsewhere.
"""

from __future__ import annotations

from biometrics.store.database import Database
from biometrics.store.sealing import Sealer

__all__ = ["Database", "Sealer"]
