"""A way to the channel through one org's gateway: what the relay asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.relay.reads import Version

MVCC_READ_CONFLICT = "MVCC_READ_CONFLICT"


@dataclass(frozen=True, slots=True)
class Settled:
    """A transaction that is in a block, with its validation code by name."""

    tx: str
    block: int
    code: str


@dataclass(frozen=True, slots=True)
class Held:
    """The ballot that the channel holds for a voter."""

    digest: str
    tx: str


class Endorsed(Protocol):
    """An endorsed batch, not sent yet."""

    @property
    def tx(self) -> str:
        """Return the transaction's id."""

    @property
    def verdicts(self) -> bytes:
        """Return what the endorsers answered."""

    def reads(self) -> Mapping[str, Version]:
        """Return the keys that the endorsers read, with the versions that they found."""

    def send(self) -> Settled:
        """Send it and wait for its block. Raises OutcomeLost when either doesn't answer in time."""


class Route(Protocol):
    """One gateway. Every method raises RouteDown when it doesn't answer; nothing was sent then."""

    @property
    def name(self) -> str:
        """Return what to call it in logs."""

    def endorse(self, batch: bytes) -> Endorsed:
        """Have a batch endorsed. Raises BatchRefused when the chaincode refuses all of it."""

    def settled(self, tx: str) -> Settled | None:
        """Return what became of a transaction, None while no block holds it."""

    def held(self, mtg: str, sub: str) -> Held | None:
        """Return the ballot held for a voter, None where there is none."""
