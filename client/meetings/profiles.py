"""Rules profiles as the tests of a motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

CHOICES: Final = ("approve", "reject", "abstain")
DEFAULT_PROFILE: Final = "cn-p2p-exit"

_HALF: Final = (1, 2)
_TWO_THIRDS: Final = (2, 3)
_THREE_QUARTERS: Final = (3, 4)

# Each profile's tests: name, count, base, unit, comparator, fraction. docs/rules.md cites the articles.
_PROFILES: Final[dict[str, tuple[str, tuple[tuple[str, str, str, str, str, tuple[int, int]], ...]]]] = {
    # The exit of P2P institutions: the heads that vote, the fen that take part, and those in favour.
    DEFAULT_PROFILE: (
        "all",
        (
            ("heads", "yes", "voted", "heads", ">", _HALF),
            ("participation", "present", "eligible", "fen", ">=", _TWO_THIRDS),
            ("value", "yes", "present", "fen", ">", _HALF),
        ),
    ),
    # Enterprise Bankruptcy Law of the PRC, art. 64: a resolution of the creditors' meeting.
    "cn-ebl-64": (
        "all",
        (
            ("heads", "yes", "present", "heads", ">", _HALF),
            ("value", "yes", "eligible", "fen", ">=", _HALF),
        ),
    ),
    # The same, art. 84 and 86: a reorganisation plan, which every class passes.
    "cn-ebl-84": (
        "each",
        (
            ("heads", "yes", "present", "heads", ">", _HALF),
            ("value", "yes", "eligible", "fen", ">=", _TWO_THIRDS),
        ),
    ),
    # 11 U.S.C. 1126(c): acceptance by a class. Entities designated under (e) are the roll's to exclude.
    "us-1126c": (
        "each",
        (
            ("number", "yes", "voted", "heads", ">", _HALF),
            ("amount", "yes", "voted", "fen", ">=", _TWO_THIRDS),
        ),
    ),
    # Companies Act 2006 (UK), section 899(1).
    "uk-part26": (
        "each",
        (
            ("number", "yes", "voted", "heads", ">", _HALF),
            ("value", "yes", "voted", "fen", ">=", _THREE_QUARTERS),
        ),
    ),
    # The same, section 901F(1), in part 26A.
    "uk-part26a": ("each", (("value", "yes", "voted", "fen", ">=", _THREE_QUARTERS),)),
    # Companies Act 1967 (Singapore), section 210(3AB); the Court may order otherwise on the number.
    "sg-210": (
        "each",
        (
            ("number", "yes", "voted", "heads", ">", _HALF),
            ("value", "yes", "voted", "fen", ">=", _THREE_QUARTERS),
        ),
    ),
}
PROFILES: Final = tuple(_PROFILES)


def rules(profile: str = DEFAULT_PROFILE) -> dict[str, Any]:
    """Return a profile's rules, for the choices approve, reject and abstain."""
    if profile not in _PROFILES:
        raise UserError(f"there is no rules profile {profile!r}: use one of {', '.join(_PROFILES)}")
    scope, tests = _PROFILES[profile]
    return {
        "profile": profile,
        "yes": ["approve"],
        "abstain": ["abstain"],
        "tests": [
            {
                "name": name,
                "scope": scope,
                "count": count,
                "base": base,
                "unit": unit,
                "comparator": comparator,
                "fraction": list(fraction),
            }
            for name, count, base, unit, comparator, fraction in tests
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
