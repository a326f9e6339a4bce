"""Mandates as an institution's channel has them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.encodings.mandate_record import parse_mandate_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.encodings.mandate_record import MandateRecord
    from client.platform.chain import Contract


class ChannelMandates:
    """Looks mandates up with `GetMandate`; `contract` gives an institution's chaincode."""

    def __init__(self, contract: Callable[[str], Contract]) -> None:
        self._contract = contract

    def mandate(self, institution: str, mtg: str, sub: str) -> MandateRecord | None:
        """Return the last mandate that a principal gave for a meeting, None where it gave none.

        The gateway's own errors pass through.
        """
        answer = self._contract(institution).evaluate("GetMandate", mtg, sub)
        return None if answer == b"null" else parse_mandate_record(answer)
