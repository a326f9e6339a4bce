"""What the service asks of face work: a challenge on this side, a check that runs in a process of the pool.

The values here cross a process boundary, so they are plain data (`messages`).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from biometrics.errors import BiometricsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from client.encodings.records import Outcome


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A frame as it arrived: undecoded bytes, and milliseconds since the capture's beginning."""

    at: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What a check begins with. `challenge` is what `Checker.challenge` gave at opening."""

    challenge: Mapping[str, Any]
    reference: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a check stands after some frames.

    `asked` is the step to show now, `index` how many are done, `advice` reasons that the last frame gave.
    When it is `over`, nothing that follows can change the verdict. Digests are of the pixels just taken.
    """

    asked: str | None
    index: int
    advice: tuple[str, ...]
    over: bool
    digests: tuple[bytes, ...] = field(repr=False)


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


class RunningCheck(Protocol):
    """One check while its frames arrive."""

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None) -> Progress:
        """Take the next frames.

        The step that `asked` named last was told to the person at `prompted_at`, in the frames' time.
        Raises PictureRefused, whose source is `frame N` of these, for unusable bytes.
        """
        ...

    def conclude(self) -> CheckResult:
        """Decide on what was seen."""
        ...


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

    @property
    def frames_a_second(self) -> int:
        """How many frames a client should take."""
        ...

    @property
    def attempts_before_other_route(self) -> int:
        """Failures in a row after which the way without a face is offered."""
        ...

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        """Choose what is asked of one person, once: JSON with the list `steps`, kept inside the service."""
        ...

    def prepare(self) -> None:
        """Load what checks need; called once in each process of the pool."""
        ...

    def begin(self, request: CheckRequest) -> RunningCheck:
        """Begin a check; raises PictureRefused, whose source is `reference`, for an unusable reference."""
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
