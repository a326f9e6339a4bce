"""Reconciliation of identity checks: `identity` against the platform's `sessions`."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from auditor.discrepancy import (
    ALTERED,
    DUPLICATED,
    EXTRA,
    MISSING,
    WITHOUT_SESSION,
    Discrepancy,
)
from auditor.merge import outer_join
from auditor.view import ChainSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.chain_rows import ChainRows
    from auditor.platform_rows import PlatformRows, SessionRow
    from auditor.reconcile import Terms
    from auditor.view import ChainMeeting

_RECORDED = "recorded"
_PREPARED = "prepared"  # sent, and the answer not noted yet


def reconcile_sessions(
    meeting: ChainMeeting, chain: ChainRows, rows: PlatformRows, terms: Terms
) -> Iterator[Discrepancy]:
    """Yield what differs between sessions, and the accepted ballots whose session has no row."""
    pairs = outer_join(
        chain.sessions(), rows.sessions(meeting.mtg), lambda held: held[0].ses, lambda row: row.ses
    )
    for held, row in pairs:
        if row is None:
            continue
        where = f"identity; sessions row {row.ses}"
        if not chain.note_session(row.ses):
            yield Discrepancy(DUPLICATED, "", "session", "", row.ses, where)
        if held is not None:
            yield from _compare(held[0], row, where, late=held[1] and terms.overdue(held[0].issued_at))
        elif row.status == _RECORDED:
            yield Discrepancy(EXTRA, "", "session", "", row.ses, where)
    for ballot in chain.ballots_without_session():
        if ballot.block < terms.settled_height:
            where = f"{meeting.channel} block {ballot.block} transaction {ballot.tx}; no sessions row"
            yield Discrepancy(WITHOUT_SESSION, ballot.digest, "session", ballot.ses, "", where)
    for ses in chain.sessions_without_row():
        yield Discrepancy(MISSING, "", "session", ses, "", "identity; no sessions row")


def _compare(held: ChainSession, row: SessionRow, where: str, *, late: bool) -> Iterator[Discrepancy]:
    for one in fields(ChainSession):
        chain, platform = getattr(held, one.name), getattr(row, one.name)
        if chain != platform:
            yield Discrepancy(ALTERED, "", f"session {one.name}", chain, platform, where)
    if row.status != _RECORDED and (late or row.status != _PREPARED):
        yield Discrepancy(ALTERED, "", "session status", _RECORDED, row.status, where)
