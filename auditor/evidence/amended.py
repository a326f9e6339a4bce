"""Amendments of the roll as a package's blocks hold them: each proposed, confirmed, following the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evidence.errors import EvidenceRefused
from auditor.replay.amendments import Overlay, PendingAmendment
from auditor.replay.effect import composite
from client.encodings import jcs
from client.encodings.amendment import parse_amendment
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evidence.chain import Records, Written
    from client.encodings.amendment import Amendment
    from client.encodings.meeting import Meeting

_PROPOSE, _CONFIRM = "ProposeAmendment", "ConfirmAmendment"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed amendment: its record on the channel, its place there, and the roll's changes up to it."""

    amendment: Amendment
    record: bytes
    place: tuple[int, int]
    overlay: Overlay


def read_amendments(records: Records, meeting: Meeting) -> tuple[Confirmed, ...]:
    """Return a meeting's amendments in order; refuse (EVIDENCE_AMENDMENT) one that doesn't hold.

    Each has to have been proposed by its institution before the Regulator confirmed it, to continue the
    one before, and to leave the very list of amended lenders that the channel holds.
    """
    found: list[Confirmed] = []
    overlay = Overlay()
    for written in records.of(composite("amendments", meeting.mtg)):
        transaction = written.transaction
        name = f"amendment {overlay.number + 1}"
        try:
            record = transaction.written(composite("amended", meeting.mtg, str(overlay.number + 1))) or b""
            value = jcs.loads_canonical(record)
            amendment = parse_amendment(jcs.dumps(value["document"]))
            pending = PendingAmendment(value["by"], amendment.encode())
            if transaction.function != _CONFIRM or pending.record(transaction.tx_id) != record:
                raise ValueError("its record is not in its one form")  # noqa: TRY301  one error for every wrong form
            overlay = overlay.amend(amendment, meeting, {})
            if amendment.mtg != meeting.mtg or overlay.encode(meeting) != written.value:
                raise ValueError("it leaves other entries than the channel holds")  # noqa: TRY301  one error for every wrong form
        except (Refused, ValueError, KeyError, TypeError) as error:
            raise EvidenceRefused("EVIDENCE_AMENDMENT", f"{name}: {error}") from error
        if not any(
            _proposes(one, pending, written) for one in records.of(composite("amendment", meeting.mtg))
        ):
            raise EvidenceRefused("EVIDENCE_AMENDMENT", f"{name}: no block of the package proposes it")
        found.append(Confirmed(amendment, record, written.place, overlay))
    return tuple(found)


def overlay_at(amendments: Sequence[Confirmed], place: tuple[int, int]) -> Overlay:
    """Return what the amendments confirmed before a place on the channel had made of the roll."""
    return next((one.overlay for one in reversed(amendments) if one.place < place), Overlay())


def _proposes(written: Written, pending: PendingAmendment, confirmed: Written) -> bool:
    transaction = written.transaction
    return (
        transaction.function == _PROPOSE
        and written.place < confirmed.place
        and written.endorsed.creator.msp_id == pending.by
        and written.value == pending.record(transaction.tx_id)
    )
