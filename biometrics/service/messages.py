"""What goes to a process of the pool and comes back from it, as plain data for CBOR.

What comes back from a process that reads hostile pictures is parsed like any other input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from biometrics.service.checker import CheckResult, Progress
from client.encodings.records import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.service.checker import CheckRequest, SentFrame

BEGIN: Final = "begin"
FEED: Final = "feed"
END: Final = "end"
_DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Fed:
    """What became of a chunk; `result` is there when the check is over."""

    progress: Progress
    result: CheckResult | None


def begin_message(check: int, request: CheckRequest) -> dict[str, Any]:
    """Ask for check number `check` to begin."""
    return {
        "do": BEGIN,
        "check": check,
        "challenge": dict(request.challenge),
        "reference": request.reference,
    }


def feed_message(
    check: int, frames: Sequence[SentFrame], prompted_at: int | None, *, last: bool
) -> dict[str, Any]:
    """Give a check its next frames."""
    listed = [[frame.at, frame.data] for frame in frames]
    return {"do": FEED, "check": check, "frames": listed, "prompted_at": prompted_at, "last": last}


def end_message(checks: Sequence[int]) -> dict[str, Any]:
    """Have checks forgotten."""
    return {"do": END, "checks": list(checks)}


def fed_to_message(progress: Progress, result: CheckResult | None) -> dict[str, Any]:
    """Return what became of a chunk as plain data."""
    return {
        "progress": {
            "asked": progress.asked,
            "index": progress.index,
            "advice": [str(reason) for reason in progress.advice],
            "over": progress.over,
            "digests": list(progress.digests),
        },
        "result": None if result is None else _result_to_message(result),
    }


def fed_from_message(message: Any) -> Fed:
    """Return what became of a chunk; raises ValueError for anything of another form."""
    try:
        given, result = message["progress"], message["result"]
        progress = Progress(
            asked=given["asked"],
            index=given["index"],
            advice=tuple(given["advice"]),
            over=given["over"],
            digests=tuple(given["digests"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("a progress's members are missing") from error
    sound = (
        (progress.asked is None or isinstance(progress.asked, str))
        and _is_count(progress.index)
        and all(isinstance(reason, str) for reason in progress.advice)
        and type(progress.over) is bool
        and all(map(_is_digest, progress.digests))
    )
    if not sound:
        raise ValueError("a progress's members are not what they must be")
    return Fed(progress, None if result is None else _result_from_message(result))


def _result_to_message(result: CheckResult) -> dict[str, Any]:
    return {
        "outcome": str(result.outcome),
        "reasons": [str(reason) for reason in result.reasons],
        "distance": result.distance,
        "frames": list(result.frames),
        "basis": dict(result.basis),
        "measured": dict(result.measured),
        "frame_digests": list(result.frame_digests),
        "reference_digest": result.reference_digest,
    }


def _result_from_message(message: Any) -> CheckResult:
    try:
        result = CheckResult(
            outcome=message["outcome"],
            reasons=tuple(message["reasons"]),
            distance=message["distance"],
            frames=tuple(message["frames"]),
            basis=message["basis"],
            measured=message["measured"],
            frame_digests=tuple(message["frame_digests"]),
            reference_digest=message["reference_digest"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("a verdict's members are missing") from error
    sound = (
        result.outcome in OUTCOMES
        and all(isinstance(reason, str) for reason in result.reasons)
        and (result.distance is None or _is_count(result.distance))
        and all(map(_is_count, result.frames))
        and isinstance(result.basis, dict)
        and isinstance(result.measured, dict)
        and all(map(_is_digest, (*result.frame_digests, result.reference_digest)))
    )
    if not sound:
        raise ValueError("a verdict's members are not what they must be")
    return result


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_digest(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == _DIGEST
