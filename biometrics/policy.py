"""The decision policy, read from data and valid ever after."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from biometrics.errors import PolicyError
from client.encodings import jcs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FURTHEST = 2000  # thousandths; templates lie in or on the unit sphere


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measurement that a policy's accept distance rests on."""

    population: str
    genuine_pairs: int
    impostor_pairs: int
    false_matches: int
    fmr_upper_ppm: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds in thousandths of template distance, sizes in pixels, times in seconds.

    `canonical` is the JCS form of the whole policy; evidence carries its digest beside `id`.
    """

    id: str
    method: str
    embedder: str
    width_at_least: int
    frames_at_least: int
    accept_at_most: int
    review_at_most: int
    complete_within: int
    valid_for: int
    evaluation: Evaluation
    canonical: bytes


def default_policy() -> Policy:
    """Return the policy that comes with the package."""
    return parse_policy(resources.files("biometrics").joinpath("policy.toml").read_text("utf-8"))


def load_policy(path: Path) -> Policy:
    """Read a policy file; raises PolicyError."""
    try:
        return parse_policy(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: the face policy can't be read: {error}") from error


def parse_policy(text: str) -> Policy:
    """Parse a policy (TOML); raises PolicyError, naming the first member that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the face policy is not TOML: {error}") from error
    top = _Table("policy", data)
    top.number("v", 1, 1)
    face, match = top.table("face"), top.table("match")
    session, evaluation = top.table("session"), top.table("evaluation")
    accept = match.number("accept_at_most", 1, _FURTHEST)
    policy = Policy(
        id=top.text("id"),
        method=top.text("method"),
        embedder=top.text("embedder"),
        width_at_least=face.number("width_at_least", 40, 4000),
        frames_at_least=match.number("frames_at_least", 1, 1000),
        accept_at_most=accept,
        review_at_most=match.number("review_at_most", accept, _FURTHEST),
        complete_within=session.number("complete_within", 1, 86_400),
        valid_for=session.number("valid_for", 1, 30 * 86_400),
        evaluation=Evaluation(
            population=evaluation.text("population"),
            genuine_pairs=evaluation.number("genuine_pairs", 0, 10**9),
            impostor_pairs=evaluation.number("impostor_pairs", 0, 10**9),
            false_matches=evaluation.number("false_matches", 0, 10**9),
            fmr_upper_ppm=evaluation.number("fmr_upper_ppm", 0, 10**6),
        ),
        canonical=jcs.dumps(data),
    )
    for table in (top, face, match, session, evaluation):
        table.finish()
    return policy


class _Table:
    """A TOML table that must be used up: a member nobody asked for is a mistake in the file."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self._name = name
        self._rest = dict(data)

    def _take(self, key: str, kind: type) -> Any:
        value = self._rest.pop(key, None)
        if type(value) is not kind:
            raise PolicyError(f"{self._name}.{key} is missing or is no {kind.__name__}")
        return value

    def number(self, key: str, least: int, most: int) -> int:
        value: int = self._take(key, int)
        if not least <= value <= most:
            raise PolicyError(f"{self._name}.{key} is {value}, it must be from {least} to {most}")
        return value

    def text(self, key: str) -> str:
        value: str = self._take(key, str)
        if not value:
            raise PolicyError(f"{self._name}.{key} is empty")
        return value

    def table(self, key: str) -> _Table:
        return _Table(f"{self._name}.{key}", self._take(key, dict))

    def finish(self) -> None:
        if self._rest:
            raise PolicyError(f"{self._name} has an unknown member {min(self._rest)}")
