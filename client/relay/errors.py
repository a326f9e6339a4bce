"""What can happen to a batch on its way, as the relay tells it apart."""

from __future__ import annotations

from client.errors import UserError


class RelayError(Exception):
    """Base of this package's errors."""


class RouteDown(RelayError):  # noqa: N818  a state of the road, not a defect
    """Nothing was sent to the orderers: try again, by another way."""


class BatchRefused(RelayError):  # noqa: N818  the endorsers' answer
    """The endorsers refused the whole transaction with a code; nothing was sent to the orderers."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class OutcomeLost(RelayError):  # noqa: N818  a state of knowledge
    """It was sent, but nobody said what became of it: ask later, send again (a held ballot is a success)."""


class DeskBusy(UserError):  # noqa: N818  a state of the door
    """The door takes no more ballots for the moment: it gave no word for this one and stored nothing.

    Hand the same ballot in again after `retry_after` seconds.
    """

    def __init__(self, mtg: str, retry_after: int) -> None:
        super().__init__(
            f"the door has too many ballots of meeting {mtg!r} on their way to the channel: "
            f"hand the same ballot in again in {retry_after} s",
            code="DESK_BUSY",
        )
        self.retry_after = retry_after
