"""The recorder of identity checks: evidence sealed here, its commitment on `identity`, in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from client.encodings import jcs, times
from client.enrolment.evidence import Evidence, seal, unseal
from client.errors import UserError
from client.platform.chain import commit
from client.platform.models import IdentitySession, Lender
from client.platform.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from client.encodings.records import Session
    from client.enrolment.evidence import Opening
    from client.platform import Database, Vault
    from client.platform.chain import Contract


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """A check on the channel. `code` says why it was refused there; a session without one is in force."""

    session: Session
    tx: str
    code: str | None = None


class SessionRecorder:
    """Records checks on `identity` as Association's verifier. Thread-safe."""

    def __init__(self, database: Database, vault: Vault, verifier: Contract) -> None:
        self._database = database
        self._vault = vault
        self._verifier = verifier

    def record_many(self, checks: Sequence[tuple[Session, Opening]]) -> list[RecordedSession]:
        """Record several checks in one transaction, in order.

        Raises UserError for an opening that isn't the commitment's; the ledger's own errors pass
        through, and then the sessions stay `prepared`: unused, and without effect.
        """
        if not checks:
            return []
        self._keep(checks)
        sessions = [session for session, _ in checks]
        committed = commit(self._verifier, "RecordSessions", jcs.dumps([item.as_json() for item in sessions]))
        verdicts = Verdicts.parse(committed.result, len(sessions))
        recorded = []
        with self._database.write() as session:
            for index, item in enumerate(sessions):
                code = verdicts.refused.get(index) or verdicts.pending.get(index)
                status = "recorded" if code is None else "refused"
                values = {"status": status, "code": code, "tx": committed.tx}
                row = update(IdentitySession).where(IdentitySession.ses == item.ses)
                session.execute(row.values(values))
                recorded.append(RecordedSession(item, committed.tx, code))
        return recorded

    def _keep(self, checks: Sequence[tuple[Session, Opening]]) -> None:
        """Seal the evidence before anything is sent: what the channel commits to is always here."""
        with self._database.write() as session:
            for item, opening in checks:
                if Evidence(opening.salt, opening.evidence).commitment != item.commitment:
                    raise UserError(
                        f"the evidence of session {item.ses} isn't what it commits to: check again"
                    )
                members = {name: value for name, value in item.as_json().items() if name != "v"}
                sealed = seal(opening, self._vault, "sessions", item.ses)
                # Once more after a lost answer is harmless: the channel holds a session by its id.
                session.merge(IdentitySession(**members, evidence_encrypted=sealed, status="prepared"))

    def evidence(self, ses: str) -> Evidence:
        """Return a session's evidence; raise UserError when there is none, or it was deleted."""
        with self._database.read() as session:
            row = session.get(IdentitySession, ses)
        if row is None or row.evidence_encrypted is None:
            raise UserError(f"there is no evidence for session {ses}: it never existed or was deleted")
        return unseal(self._vault, "sessions", ses, row.evidence_encrypted)

    def forget(self, meetings: Iterable[str], issued_until: int) -> int:
        """Delete the sealed evidence of these meetings' checks, and of all checks as old as `issued_until`.

        In seconds since 1970; returns how many that were. What is on the channel says nothing without it.
        """
        old = IdentitySession.issued_at <= times.form(max(0, issued_until))
        due = update(IdentitySession).where(
            IdentitySession.evidence_encrypted.is_not(None),
            or_(IdentitySession.mtg.in_(list(meetings)), old),
        )
        with self._database.write() as session:
            done: Any = session.execute(due.values(evidence_encrypted=None))
            return int(done.rowcount)

    def enrolled_key(self, institution: str, sub: str) -> str:
        """Return the thumbprint for this lender's sessions; raise UserError for who isn't enrolled."""
        with self._database.read() as session:
            mine = select(Lender.x5t).where(Lender.sub == sub, Lender.institution == institution)
            x5t = session.scalars(mine.where(Lender.status == "enrolled")).one_or_none()
        if x5t is None:
            raise UserError(f"{sub} is not enrolled with {institution}: enrol first")
        return x5t
