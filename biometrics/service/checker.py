"""What the service asks of face work: a challenge on this side, a verdict in a process of the pool.

The values here cross a process boundary, so they are plain data; what comes back from a process that
reads hostile pictures is parsed like any other input.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from biometrics.errors import BiometricsError
from client.encodings.records import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from client.encodings.records import Outcome

_DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame as it arrived: undecoded bytes, and milliseconds since the capture's beginning."""

    at: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """All that a verdict may depend on. `challenge` is what `Checker.challenge` gave at opening."""

    challenge: Mapping[str, Any]
    frames: tuple[SentFrame, ...]
    reference: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A verdict and what it rests on.

    `distance` and `frames` are thousandths of template distance. `basis` (policy, models, evaluation,
    checks made) and `measured` (per step) are JSON for the evidence. Digests are of decoded pixels.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    distance: int | None
    frames: tuple[int, ...]
    basis: Mapping[str, Any]
    measured: Mapping[str, Any]
    frame_digests: tuple[bytes, ...] = field(repr=False)
    reference_digest: bytes = field(repr=False)


class Checker(Protocol):
    """Decides whether frames show the reference's person, alive and doing what was asked."""

    @property
    def method(self) -> str:
        """The method that sessions name, such as `face-v1`."""
        ...

    @property
    def complete_within(self) -> int:
        """Seconds from opening to the last frame."""
        ...

    @property
    def valid_for(self) -> int:
        """Seconds that a passed check holds."""
        ...

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        """Choose what is asked of one person, once; JSON, shown to the client as it is."""
        ...

    def prepare(self) -> None:
        """Load what checks need; called once in each process of the pool."""
        ...

    def check(self, request: CheckRequest) -> CheckResult:
        """Decide. Raises PictureRefused, whose source is `reference` or `frame N`, for unusable bytes."""
        ...


class CheckerMissing(BiometricsError):  # noqa: N818  says what is missing
    """The checker named in the configuration can't be made."""


def load_checker(name: str) -> Checker:
    """Make the checker that `module:function` returns; raises CheckerMissing."""
    module, _, attribute = name.partition(":")
    try:
        return cast("Checker", getattr(importlib.import_module(module), attribute)())
    except (ImportError, AttributeError) as error:
        raise CheckerMissing(f"there is no checker {name}: name one as module:function") from error


def result_to_message(result: CheckResult) -> dict[str, Any]:
    """Return the result as plain data."""
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


def result_from_message(message: Any) -> CheckResult:
    """Return the result of plain data; raises ValueError for anything of another form."""
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
