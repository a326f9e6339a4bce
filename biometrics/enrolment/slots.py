"""Slots: times at which two officers identify people without a face, by video call or at a counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from biometrics.store.database import insert_once
from biometrics.store.models import Booking, Slot
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, ids, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from biometrics.terms.binding import Lender

KINDS: Final = ("video", "counter")
_MOST_MINUTES: Final = 24 * 60
_MOST_PEOPLE: Final = 10_000
_LONGEST_PLACE: Final = 200


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    """A slot with room: `starts_at` in seconds since 1970, `free` places of `capacity`."""

    id: str
    institution: str
    kind: str
    place: str
    starts_at: int
    minutes: int
    capacity: int
    free: int


class Slots:
    """Slots and bookings. A slot never has more bookings than places, nor a lender two at once."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def offer(
        self,
        session: Session,
        institution: str,
        kind: str,
        place: str,
        *,
        starts_at: int,
        minutes: int,
        capacity: int,
    ) -> OfferedSlot:
        """Offer a slot; raises ServiceRefused (REQUEST_FORMAT)."""
        sound = (
            ids.is_msp(institution)
            and kind in KINDS
            and 0 < len(place) <= _LONGEST_PLACE
            and 0 < starts_at <= times.MAX_SECONDS
            and 0 < minutes <= _MOST_MINUTES
            and 0 < capacity <= _MOST_PEOPLE
        )
        if not sound:
            raise ServiceRefused(
                "REQUEST_FORMAT",
                "a slot needs institution, kind (video, counter), place, start, minutes, capacity",
            )
        row = Slot(
            id=base64url.encode(self._random_bytes(ids.ID_BYTES)),
            institution=institution,
            kind=kind,
            place=place,
            starts_at=starts_at,
            minutes=minutes,
            capacity=capacity,
            booked=0,
        )
        session.add(row)
        return _offered(row)

    def listed(self, session: Session, institution: str, now: int) -> list[OfferedSlot]:
        """Return the institution's slots that have not begun, soonest first, full ones too."""
        query = select(Slot).where(Slot.institution == institution, Slot.starts_at > now)
        return [_offered(row) for row in session.scalars(query.order_by(Slot.starts_at, Slot.id))]

    def book(self, session: Session, slot: str, lender: Lender, scope: str, now: int) -> str:
        """Give the lender a place and return the booking's id.

        Raises ServiceRefused (SLOT_NOT_FOUND: unknown, begun, or another institution's; SLOT_FULL;
        SLOT_BOOKED: has one already).
        """
        row = session.get(Slot, slot)
        if row is None or row.institution != lender.institution or row.starts_at <= now:
            raise ServiceRefused("SLOT_NOT_FOUND")
        # The condition stands in the statement itself, so two at once can't both have the last place.
        taken = session.execute(
            update(Slot).where(Slot.id == slot, Slot.booked < Slot.capacity).values(booked=Slot.booked + 1)
        )
        if getattr(taken, "rowcount", 0) != 1:
            raise ServiceRefused("SLOT_FULL")
        booking = base64url.encode(self._random_bytes(ids.ID_BYTES))
        values = {
            "id": booking,
            "slot": slot,
            "institution": lender.institution,
            "sub": lender.sub,
            "scope": scope,
            "state": "booked",
            "booked_at": now,
        }
        if not insert_once(session, Booking, values):
            raise ServiceRefused("SLOT_BOOKED")  # and the place is given back with the transaction
        return booking

    def cancel(self, session: Session, booking: str, lender: Lender) -> None:
        """Give a place back; raises ServiceRefused (BOOKING_NOT_FOUND)."""
        row = session.scalars(select(Booking).where(Booking.id == booking).with_for_update()).one_or_none()
        if row is None or (row.institution, row.sub, row.state) != (lender.institution, lender.sub, "booked"):
            raise ServiceRefused("BOOKING_NOT_FOUND")
        row.state = "cancelled"
        session.execute(update(Slot).where(Slot.id == row.slot).values(booked=Slot.booked - 1))


def _offered(row: Slot) -> OfferedSlot:
    return OfferedSlot(
        row.id,
        row.institution,
        row.kind,
        row.place,
        row.starts_at,
        row.minutes,
        row.capacity,
        row.capacity - row.booked,
    )
