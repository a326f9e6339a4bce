"""Reconciliation of identity checks: `identity` against the platform's `sessions`."""

from __future__ import annotations

from dataclasses import fields
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from auditor.discrepancy import (
    ALTERED,
    DUPLICATED,
    EXTRA,
    MISSING,
    WITHOUT_SESSION,
    Discrepancy,
)
from auditor.platform_rows import SessionRow, as_text
from auditor.view import ChainSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.chain_rows import ChainRows
    from auditor.platform_rows import PlatformRows
    from auditor.reconcile import Terms
    from auditor.view import ChainMeeting

_RECORDED = "recorded"
_PREPARED = "prepared"  # sent, and the answer not noted yet
_NAMES = tuple(one.name for one in fields(ChainSession))
_held = attrgetter(*_NAMES)
_ses = itemgetter([one.name for one in fields(SessionRow)].index("ses"))


def reconcile_sessions(
    meeting: ChainMeeting, chain: ChainRows, rows: PlatformRows, terms: Terms
) -> Iterator[Discrepancy]:
    """Yield what differs between sessions, and the accepted ballots whose session has no row."""
    met = 0
    for chunk in rows.sessions(meeting.mtg):
        ids = [as_text(_ses(values)) for values in chunk]
        held = chain.sessions(ids)
        chain.note_sessions(ids)
        for ses, values in zip(ids, chunk, strict=True):
            one = held.get(ses)
            met += one is not None
            if one is None or values != (*_held(one), _RECORDED):
                yield from _differing(chain, one, SessionRow.of(values), terms)
    twice = False
    for ses, extra in chain.sessions_noted_twice():
        twice = True
        where = f"identity; sessions row {ses}"
        yield from repeat(Discrepancy(DUPLICATED, "", "session", "", ses, where), extra)
    for ballot in chain.ballots_without_session():
        if ballot.block < terms.settled_height:
            where = f"{meeting.channel} block {ballot.block} transaction {ballot.tx}; no sessions row"
            yield Discrepancy(WITHOUT_SESSION, ballot.digest, "session", ballot.ses, "", where)
    if twice or met < len(meeting.sessions):
        for ses in chain.sessions_without_row():
            yield Discrepancy(MISSING, "", "session", ses, "", "identity; no sessions row")


def _differing(
    chain: ChainRows, held: ChainSession | None, row: SessionRow, terms: Terms
) -> Iterator[Discrepancy]:
    where = f"identity; sessions row {row.ses}"
    if held is not None:
        prepared = row.status == _PREPARED
        late = prepared and terms.overdue(held.issued_at) and chain.is_settled(held.ses)
        yield from _compare(held, row, where, late=late)
    elif row.status == _RECORDED:
        yield Discrepancy(EXTRA, "", "session", "", row.ses, where)


def _compare(held: ChainSession, row: SessionRow, where: str, *, late: bool) -> Iterator[Discrepancy]:
    for name in _NAMES:
        chain, platform = getattr(held, name), getattr(row, name)
        if chain != platform:
            yield Discrepancy(ALTERED, "", f"session {name}", chain, platform, where)
    if row.status != _RECORDED and (late or row.status != _PREPARED):
        yield Discrepancy(ALTERED, "", "session status", _RECORDED, row.status, where)
