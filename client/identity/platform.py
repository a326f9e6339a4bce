"""What the identity service has on this platform: the recorder's database, and the register of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import NoResultFound

from biometrics.sources.interface import NoPhoto, Person
from client.meetings.lenders import LenderRegister
from client.platform import Database, Vault, database_url
from client.sessions import SessionRecorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from biometrics.service.evidence import EvidenceOpening
    from biometrics.terms.binding import Lender
    from client.encodings.records import Session
    from client.identity.channel import VerifierContract
    from client.sessions import RecordedSession


class PlatformRecorder:
    """Records through the platform: evidence sealed in its database, commitments on `identity`.

    The database is opened when it is first needed.
    """

    def __init__(self, home: Path, contract: VerifierContract) -> None:
        self._home = home
        self._contract = contract
        self._recorder: SessionRecorder | None = None

    def record_many(self, checks: Sequence[tuple[Session, EvidenceOpening]], /) -> list[RecordedSession]:
        """Seal their evidence and write them in one transaction; return what became of each, in order.

        Raises UserError for an opening that isn't its record's, or where the database can't be opened; the
        ledger's own errors pass through, and then nothing is recorded.
        """
        return self._opened().record_many(checks)

    def forget(self, meetings: Iterable[str], issued_until: int) -> int:
        """Delete the evidence of these meetings' sessions, and of all as old as that; return how many."""
        return self._opened().forget(meetings, issued_until)

    def _opened(self) -> SessionRecorder:
        if self._recorder is None:
            database = Database.open(database_url(self._home))
            self._recorder = SessionRecorder(database, platform_vault(self._home), self._contract)
        return self._recorder


class PlatformPeople:
    """Who a lender is, as the platform's sealed register has it; asked only for the official ID service."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._register: LenderRegister | None = None

    def person(self, lender: Lender) -> Person:
        """Return the person; raises NoPhoto for an unknown lender."""
        if self._register is None:
            database = Database.open(database_url(self._home))
            self._register = LenderRegister(database, platform_vault(self._home))
        try:
            value = self._register.person(lender.institution, lender.sub)
        except NoResultFound as error:
            raise NoPhoto("the register doesn't know this lender") from error
        return Person(value["name"], value["id_no"])


def platform_vault(home: Path) -> Vault:
    """Return the platform's vault."""
    return Vault.open(home / "keys" / "platform.key")


def identity_vault(home: Path) -> Vault:
    """Return the identity service's own vault: its key opens nothing of the platform's, nor the reverse."""
    return Vault.open(home / "keys" / "identity.key")
