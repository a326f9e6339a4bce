"""What of a finding may be shown while a meeting is open: never a value that tells how somebody voted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from auditor.discrepancy import UNVERIFIED, Discrepancy
from auditor.errors import BlockError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.errors import VerificationError

WITHHELD: Final = "withheld until the meeting is closed"
# Fields whose values tell nothing of a choice. A ballot's JWS, a row and a result do; what is new may.
_TELLS_NOTHING: Final = frozenset(
    {
        "sub",
        "seq",
        "ses",
        "door",
        "ack_no",
        "ack_time",
        "tx",
        "block",
        "status",
        "digest",
        "code",
        "session",
        "meeting",
        "record",
        "mh",
        "channel",
    }
)


def withheld(found: Iterable[Discrepancy]) -> tuple[Discrepancy, ...]:
    """Return the findings without the values in which a choice could be read; what and where stays."""
    return tuple(_without(one) for one in found)


def _without(one: Discrepancy) -> Discrepancy:
    if one.kind == UNVERIFIED:
        # What was found and expected may be a ballot's record; the sentence before it is the program's own.
        return replace(one, chain=one.chain and WITHHELD, detail=one.detail.partition("; expected")[0])
    if one.field in _TELLS_NOTHING or one.field.startswith("session "):
        return one
    return replace(
        one,
        chain=one.chain and WITHHELD,
        platform=one.platform and WITHHELD,
        detail=one.detail and WITHHELD,
    )


def told(error: VerificationError, *, closed: bool) -> str:
    """Return a finding as anybody may read it; `closed` says that its meeting has a result.

    Until then without the two values, but for those of blocks, configurations and the identity channel, where
    no choice ever is. A finding of no certain meeting counts as one of an open meeting.
    """
    tells_nothing = isinstance(error, BlockError | ConfigurationError) or error.where.startswith("identity ")
    if closed or tells_nothing or (error.expected is None and error.found is None):
        return str(error)
    return f"step {error.step}: {error.where}: {error.reason} (values {WITHHELD})"
