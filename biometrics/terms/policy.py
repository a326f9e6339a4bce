"""The service's policy, read from data and valid ever after."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from biometrics.errors import PolicyError
from client.encodings import hashes, jcs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TAG: Final = b"concordat/identity-service-policy/v1"
_MOST: Final = 10**9
CONSENTS: Final = ("face", "transmission", "recording")


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """Limits, times (seconds unless named otherwise), and what consents and references count.

    `digest` is that of the whole policy; evidence carries it beside `id`.
    """

    id: str
    digest: str
    failures_in_a_row: int
    delay: int
    delay_at_most: int
    attempts_in_all: int
    attempts_over_all: int
    officers_for_all: tuple[str, ...]
    two_officers: bool
    take_for: int
    decide_within: int
    review_valid_for: int
    attendance_valid_for: int
    skew: int
    invitation_failures: int
    sources: tuple[str, ...]
    consents: Mapping[str, str]
    frame_bytes_at_most: int
    request_bytes_at_most: int
    time_limit: int
    chunk_frames_at_most: int
    frames_at_most: int
    ahead_ms_at_most: int
    lag_ms_at_most: int
    idle_seconds: int
    checks_days_after_settlement: int
    unsettled_days: int
    consent_days: int
    withdrawn_consent_days: int
    proofs_seconds: int
    every_seconds: int


def default_service_policy() -> ServicePolicy:
    """Return the policy that comes with the package."""
    text = resources.files("biometrics.terms").joinpath("policy.toml").read_text("utf-8")
    return parse_service_policy(text)


def load_service_policy(path: Path) -> ServicePolicy:
    """Read a policy file; raises PolicyError."""
    try:
        return parse_service_policy(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: the identity service's policy can't be read: {error}") from error


def parse_service_policy(text: str) -> ServicePolicy:
    """Parse a policy (TOML); raises PolicyError, naming the first member that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the identity service's policy is not TOML: {error}") from error
    if data.get("v") != 1:
        raise PolicyError("the identity service's policy has no version 1")
    numbers: dict[str, Any] = {}
    for table, names in _NUMBERS.items():
        for name in names:
            numbers[name] = _take(data, table, name, int)
            if not 1 <= numbers[name] <= _MOST:
                raise PolicyError(f"{table}.{name} is {numbers[name]}, it must be from 1 to {_MOST}")
    sources = _take(data, "references", "sources", list)
    if not sources or not all(isinstance(name, str) for name in sources):
        raise PolicyError("references.sources must name at least one source")
    for_all = _take(data, "review", "for_all", list)
    if not all(isinstance(name, str) for name in for_all):
        raise PolicyError("review.for_all must hold MSP ids only")
    identifier = data.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise PolicyError("the identity service's policy has no id")
    policy = ServicePolicy(
        id=identifier,
        digest=hashes.digest(_TAG, jcs.dumps(data)),
        officers_for_all=tuple(for_all),
        two_officers=_take(data, "review", "two_officers", bool),
        sources=tuple(sources),
        consents={kind: _take(data, "consents", kind, str) for kind in CONSENTS},
        **numbers,
    )
    if policy.proofs_seconds < 2 * policy.skew:
        raise PolicyError("retention.proofs_seconds must be twice proofs.skew, or proofs could be replayed")
    return policy


_NUMBERS: Final = {
    "limits": (
        "failures_in_a_row",
        "delay",
        "delay_at_most",
        "attempts_in_all",
        "attempts_over_all",
    ),
    "review": ("take_for", "decide_within", "review_valid_for", "attendance_valid_for"),
    "proofs": ("skew", "invitation_failures"),
    "upload": ("frame_bytes_at_most", "request_bytes_at_most", "time_limit"),
    "stream": (
        "chunk_frames_at_most",
        "frames_at_most",
        "ahead_ms_at_most",
        "lag_ms_at_most",
        "idle_seconds",
    ),
    "retention": (
        "checks_days_after_settlement",
        "unsettled_days",
        "consent_days",
        "withdrawn_consent_days",
        "proofs_seconds",
        "every_seconds",
    ),
}


def _take(data: Mapping[str, Any], table: str, name: str, kind: type) -> Any:
    found = data.get(table)
    value = found.get(name) if isinstance(found, dict) else None
    if type(value) is not kind:
        raise PolicyError(f"{table}.{name} is missing or is no {kind.__name__}")
    return value
