"""Erasure of what is kept about one lender, with a record of it that says nothing about whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from biometrics.store.models import Case, CaseFrame, Check, Deletion, ReferencePhoto
from client.encodings import base64url, ids, jcs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from biometrics.terms.binding import Lender

# Checks that have not ended; withdrawal ends them.
RUNNING: Final = ("open", "review")


@dataclass(frozen=True, slots=True)
class DeletionRecord:
    """What was deleted, in numbers, when (seconds since 1970), and why: nobody can be found from it."""

    id: str
    deleted_at: int
    what: Mapping[str, int]
    why: str


class Erasure:
    """Deletes and leaves a record. What the law has kept until objections are settled is not touched."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def erase(self, session: Session, lender: Lender, why: str, now: int) -> DeletionRecord:
        """Delete a lender's reference pictures and kept frames, and end every check that runs.

        Evidence of checks that carried a vote stays sealed until the meeting is settled (docs/privacy.md).
        """
        mine: dict[str, Any] = {"institution": lender.institution, "sub": lender.sub}
        frames = _end_reviews(session, mine)
        photos = session.execute(delete(ReferencePhoto).filter_by(**mine))
        checks = session.execute(
            update(Check)
            .filter_by(**mine)
            .where(Check.state.in_(RUNNING))
            .values(state="withdrawn", decided_at=now)
        )
        what = {
            "reference_photos": _count(photos),
            "kept_frames": frames,
            "running_checks": _count(checks),
        }
        return self.note(session, what, why, now)

    def frames(self, session: Session, lender: Lender, why: str, now: int) -> DeletionRecord:
        """Delete a lender's kept frames, and end the reviews that needed them."""
        mine: dict[str, Any] = {"institution": lender.institution, "sub": lender.sub}
        frames = _end_reviews(session, mine)
        session.execute(
            update(Check).filter_by(**mine, state="review").values(state="undecided", decided_at=now)
        )
        return self.note(session, {"kept_frames": frames}, why, now)

    def note(self, session: Session, what: Mapping[str, int], why: str, now: int) -> DeletionRecord:
        """Write the record of a deletion."""
        record = DeletionRecord(base64url.encode(self._random_bytes(ids.ID_BYTES)), now, dict(what), why)
        written = jcs.dumps(dict(what)).decode("ascii")
        session.add(Deletion(id=record.id, deleted_at=now, what=written, why=why))
        return record


def _end_reviews(session: Session, mine: dict[str, Any]) -> int:
    """Delete the frames of a lender's reviews and close these; return how many frames that were."""
    cases = select(Case.id).filter_by(**mine)
    frames = session.execute(delete(CaseFrame).where(CaseFrame.case.in_(cases)))
    # An attendance is the way without a face: it rests on no consent to one, and goes on.
    session.execute(update(Case).filter_by(**mine, state="open", kind="review").values(state="withdrawn"))
    return _count(frames)


def _count(done: Any) -> int:
    return int(done.rowcount)
