"""Error rates as ISO/IEC 30107-3 names them, with the bounds that small numbers allow."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, log1p

_ROUNDS = 60  # halvings: far below any digit that is printed


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` of `trials`, and the one-sided 95 % upper bound (Clopper and Pearson, 1934)."""

    errors: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.trials:
            raise ValueError(f"{self.errors} errors in {self.trials} trials")

    @property
    def rate(self) -> float | None:
        """Errors over trials; None without a trial."""
        return self.errors / self.trials if self.trials else None

    @property
    def upper(self) -> float:
        """The largest rate at which so few errors still come in one run of twenty; 1 without a trial."""
        return upper_bound(self.errors, self.trials)

    def to_json(self) -> dict[str, float | int | None]:
        """Return errors, trials, rate and upper bound."""
        rate = None if self.rate is None else round(self.rate, 6)
        return {"errors": self.errors, "trials": self.trials, "rate": rate, "upper_95": round(self.upper, 6)}


def upper_bound(errors: int, trials: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper bound on a rate of which `errors` in `trials` were seen."""
    if errors >= trials:
        return 1.0
    low, high = errors / trials, 1.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if _at_most(errors, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(errors: int, trials: int, rate: float) -> float:
    """Return the probability of at most `errors` in `trials` at a rate strictly between 0 and 1."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    return sum(
        exp(
            lgamma(trials + 1)
            - lgamma(count + 1)
            - lgamma(trials - count + 1)
            + count * log(rate)
            + (trials - count) * log1p(-rate)
        )
        for count in range(errors + 1)
    )
