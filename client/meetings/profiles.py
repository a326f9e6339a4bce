"""Rules profiles as the tests of a motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

CHOICES: Final = ("approve", "reject", "abstain")
DEFAULT_PROFILE: Final = "cn-p2p-exit"

# The exit rules of P2P institutions: more than half of the heads voting, at least two thirds of all fen
# taking part, and more than half of those in favour.
_CN_P2P_EXIT: Final = (
    ("heads", "yes", "voted", "heads", ">", (1, 2)),
    ("participation", "present", "eligible", "fen", ">=", (2, 3)),
    ("value", "yes", "present", "fen", ">", (1, 2)),
)
_PROFILES: Final = {DEFAULT_PROFILE: _CN_P2P_EXIT}


def rules(profile: str = DEFAULT_PROFILE) -> dict[str, Any]:
    """Return a profile's rules over the whole roll, for the choices approve, reject and abstain."""
    if profile not in _PROFILES:
        raise UserError(f"there is no rules profile {profile!r}: use one of {', '.join(_PROFILES)}")
    return {
        "profile": profile,
        "yes": ["approve"],
        "abstain": ["abstain"],
        "tests": [
            {
                "name": name,
                "scope": "all",
                "count": count,
                "base": base,
                "unit": unit,
                "comparator": comparator,
                "fraction": list(fraction),
            }
            for name, count, base, unit, comparator, fraction in _PROFILES[profile]
        ],
    }


def motion(identifier: str, title: str, profile: str = DEFAULT_PROFILE) -> dict[str, Any]:
    """Return a motion to approve, reject or abstain from, as a record carries it."""
    return {
        "id": identifier,
        "kind": "resolution",
        "title": title,
        "choices": list(CHOICES),
        "max_choices": 1,
        "rules": rules(profile),
    }


def motions(titles: Sequence[str], profile: str = DEFAULT_PROFILE) -> list[dict[str, Any]]:
    """Return one motion a title, called m1, m2, …."""
    return [motion(f"m{number}", title, profile) for number, title in enumerate(titles, start=1)]
