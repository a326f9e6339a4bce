"""How well faces are told apart on given pairs: false matches and false non-matches at each threshold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biometrics.attacks.statistics import upper_bound
from biometrics.errors import BiometricsError
from biometrics.picture import load_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from biometrics.face import Template
    from biometrics.matching import Matcher
    from biometrics.pairs import Pair

STEP = 10  # thousandths of distance between thresholds
LAST = 1200


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture from which no template could be taken, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Point:
    """Rates at a threshold: distances up to `t` count as the same person. None where there are no pairs."""

    t: float
    fmr: float | None
    fnmr: float | None
    fmr_upper: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of all pairs; `eer` is the rate at which both errors are (nearly) equal."""

    genuine: tuple[float, ...]
    impostor: tuple[float, ...]
    failures: tuple[Failure, ...]
    failed_pairs: int
    seconds_per_image: float
    points: tuple[Point, ...]
    eer: float | None

    def to_json(self, policy: str) -> dict[str, Any]:
        """Return the evaluation for `concordat face evaluate --json`."""
        return {
            "pairs": len(self.genuine) + len(self.impostor) + self.failed_pairs,
            "genuine": len(self.genuine),
            "impostor": len(self.impostor),
            "failed": self.failed_pairs,
            "failures": [{"file": failure.file, "reason": failure.reason} for failure in self.failures],
            "policy": policy,
            "thresholds": [
                {"t": point.t, "fmr": point.fmr, "fnmr": point.fnmr, "fmr_upper": round(point.fmr_upper, 6)}
                for point in self.points
            ],
            "eer": self.eer,
            "seconds_per_image": round(self.seconds_per_image, 4),
        }


def evaluate(matcher: Matcher, pairs: Sequence[Pair]) -> Evaluation:
    """Compare all pairs; each picture's template is taken once. A picture that fails, fails its pairs."""
    begun = time.perf_counter()
    templates, failures = _templates(matcher, {path for pair in pairs for path in (pair.first, pair.second)})
    elapsed = time.perf_counter() - begun
    genuine: list[float] = []
    impostor: list[float] = []
    failed = 0
    for pair in pairs:
        first, second = templates.get(pair.first), templates.get(pair.second)
        if first is None or second is None:
            failed += 1
        else:
            (genuine if pair.same else impostor).append(first.distance(second))
    points = rates(genuine, impostor)
    return Evaluation(
        genuine=tuple(genuine),
        impostor=tuple(impostor),
        failures=failures,
        failed_pairs=failed,
        seconds_per_image=elapsed / max(len(templates) + len(failures), 1),
        points=points,
        eer=equal_error_rate(genuine, impostor),
    )


def rates(genuine: Sequence[float], impostor: Sequence[float]) -> tuple[Point, ...]:
    """Return the rates at thresholds from 0 to 1.2; the bound on false matches is one-sided, 95 %."""
    points = []
    for thousandths in range(0, LAST + 1, STEP):
        t = thousandths / 1000
        matches = sum(distance <= t for distance in impostor)
        misses = sum(distance > t for distance in genuine)
        points.append(
            Point(
                t=t,
                fmr=matches / len(impostor) if impostor else None,
                fnmr=misses / len(genuine) if genuine else None,
                fmr_upper=upper_bound(matches, len(impostor)),
            )
        )
    return tuple(points)


def equal_error_rate(genuine: Sequence[float], impostor: Sequence[float]) -> float | None:
    """Return the mean of both error rates where they are nearest; None without pairs of both kinds."""
    if not genuine or not impostor:
        return None
    thresholds = sorted({-1.0, *genuine, *impostor})
    both = [
        (
            sum(distance <= t for distance in impostor) / len(impostor),
            sum(distance > t for distance in genuine) / len(genuine),
        )
        for t in thresholds
    ]
    fmr, fnmr = min(both, key=lambda one: (abs(one[0] - one[1]), sum(one)))
    return (fmr + fnmr) / 2


def _templates(matcher: Matcher, files: Iterable[Path]) -> tuple[dict[Path, Template], tuple[Failure, ...]]:
    templates: dict[Path, Template] = {}
    failures: list[Failure] = []
    for path in sorted(files):
        try:
            templates[path] = matcher.template(load_picture(path))
        except BiometricsError as error:
            reason = getattr(error, "reason", None)
            failures.append(Failure(str(path), str(reason or "FILE_UNREADABLE")))
    return templates, tuple(failures)
