"""The transparency log as the pages show it: heads that its own signer signed, places of ballots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.log.service_db import LogBook

if TYPE_CHECKING:
    from auditor.log.head import SignedHead
    from auditor.log.service_db import ServiceDatabase
    from auditor.portal.facts import MeetingFacts


class Logged:
    """Reads the log's book; a head of another record or channel than the meeting's is not shown."""

    def __init__(self, database: ServiceDatabase) -> None:
        self._database = database

    def heads(self, facts: MeetingFacts) -> list[SignedHead]:
        """Return a meeting's heads, the newest first."""
        with self._database.read() as connection:
            found = list(LogBook(connection, facts.mtg).heads())
        return [one for one in reversed(found) if _is_of(one, facts)]

    def newest(self, facts: MeetingFacts) -> SignedHead | None:
        """Return a meeting's newest head."""
        with self._database.read() as connection:
            last = LogBook(connection, facts.mtg).last_head()
        return last if last is not None and _is_of(last, facts) else None

    def place(self, facts: MeetingFacts, digest: str) -> tuple[int | None, int | None]:
        """Return a ballot's index and the newest head's size, where that head covers it."""
        head = self.newest(facts)
        if head is None:
            return None, None
        with self._database.read() as connection:
            found = LogBook(connection, facts.mtg).find(digest)
        if found is None or found.index >= head.head.size:
            return None, None
        return found.index, head.head.size


def _is_of(signed: SignedHead, facts: MeetingFacts) -> bool:
    return (signed.head.mh, signed.head.channel) == (facts.meeting.mh, facts.channel)
