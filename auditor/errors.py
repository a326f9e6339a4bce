"""The auditor's error tree: what could not be done, and what was found false."""

from __future__ import annotations

from types import NoneType
from typing import Any

from client.errors import Negative, UserError


class AuditUnavailable(UserError):  # noqa: N818  a condition of the world, not a verdict
    """The audit could not be carried out: no peer, no database, no such meeting (exit 2)."""


class VerificationError(Negative):
    """A numbered verification step refused (exit 1).

    `step` is the number in docs/verification.md; `where` says which block, transaction or entry;
    `expected` and `found` are the two values that disagreed, in a printable form; `ballot` the
    digest of the ballot concerned, where it is one. `mtg` is the only meeting that it can concern,
    "" where that isn't certain.
    """

    def __init__(
        self,
        step: int,
        where: str,
        message: str,
        *,
        expected: object = None,
        found: object = None,
        ballot: str = "",
    ) -> None:
        values = "" if expected is None and found is None else f" (expected {expected}, found {found})"
        super().__init__(f"step {step}: {where}: {message}{values}", code=f"STEP_{step}")
        self.step = step
        self.where = where
        self.reason = message
        self.ballot = ballot
        self.expected = expected
        self.found = found
        self.mtg = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Be written into a checkpoint, values and all; what is no plain value as its text."""
        values = (self.expected, self.found)
        plain = [one if isinstance(one, str | int | NoneType) else str(one) for one in values]
        return _made, (type(self), self.step, self.where, self.reason, *plain, self.ballot, self.mtg)


def _made(kind: type[VerificationError], *values: Any) -> VerificationError:
    step, where, reason, expected, found, ballot, mtg = values
    made = kind(step, where, reason, expected=expected, found=found, ballot=ballot)
    made.mtg = mtg
    return made


class BlockError(VerificationError):
    """A block is not the one that the channel's orderers wrote."""


class ConfigurationError(VerificationError):
    """A channel configuration is malformed, or changed without the Regulator."""


class TransactionError(VerificationError):
    """A transaction marked valid does not carry what makes one valid."""


class ReplayError(VerificationError):
    """Replaying a transaction gives another verdict or other writes than the chain holds."""
