"""Frames that were used: noted as keyed hashes of file and pixels, which tell nothing by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from biometrics.store.database import insert_new
from biometrics.store.models import SeenFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from biometrics.store import Sealer

FILE: Final = "file"
PIXELS: Final = "pixels"


def mark(sealer: Sealer, kind: str, digest: bytes) -> bytes:
    """Return the keyed hash that stands for a digest (SHA-256 of a file, or of pixels)."""
    return sealer.blind_index("frame", f"{kind}:{digest.hex()}")


def seen_elsewhere(session: Session, ses: str, marks: Iterable[bytes]) -> bool:
    """Say whether any of these was used in another check."""
    query = select(SeenFrame.ses).where(SeenFrame.frame_index.in_(list(marks)), SeenFrame.ses != ses)
    return session.scalars(query.limit(1)).first() is not None


def note(session: Session, ses: str, scope: str, marks: Iterable[bytes], now: int) -> bool:
    """Note them as used; say whether none was noted before."""
    # In order, so that two checks which note the same frames wait for each other instead of deadlocking.
    ordered = sorted(set(marks))
    rows = [{"frame_index": index, "ses": ses, "scope": scope, "seen_at": now} for index in ordered]
    return insert_new(session, SeenFrame, rows) == len(rows)
