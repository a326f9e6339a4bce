"""Rules as data: when a motion passes. Go (`chaincode/tally`) and `auditor.evaluation` do the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from client.encodings.ids import MAX_INTEGER, is_name

Count = Literal["yes", "no", "present", "voted"]
Base = Literal["eligible", "present", "voted"]
Unit = Literal["heads", "fen"]
Comparator = Literal[">", ">="]

ALL: Final = "all"
EACH: Final = "each"
MAX_TESTS: Final = 20

_COUNTS: Final = ("yes", "no", "present", "voted")
_BASES: Final = ("eligible", "present", "voted")
_UNITS: Final = ("heads", "fen")
_COMPARATORS: Final = (">", ">=")


@dataclass(frozen=True, slots=True)
class Test:
    """One test: `count` over `base`, in `unit`, within `scope`, against a fraction.

    The scope is `all`, a class, or `each`: then every class of the roll has to pass.
    """

    __test__ = False  # not pytest's kind

    name: str
    scope: str
    count: Count
    base: Base
    unit: Unit
    comparator: Comparator
    fraction: tuple[int, int]

    def as_json(self) -> dict[str, Any]:
        """Return the test as the JSON object of the meeting's record."""
        return {
            "name": self.name,
            "scope": self.scope,
            "count": self.count,
            "base": self.base,
            "unit": self.unit,
            "comparator": self.comparator,
            "fraction": list(self.fraction),
        }


@dataclass(frozen=True, slots=True)
class Rules:
    """A motion's rules: it passes if every test does.

    `yes` are the choices in favour; `abstain` those that count as present but not as voting. An election has
    no `yes`: each of its candidates, the choices that don't abstain, is tested by the ballots that chose it.
    """

    profile: str
    yes: tuple[str, ...]
    abstain: tuple[str, ...]
    tests: tuple[Test, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the rules as the JSON object of the meeting's record."""
        return {
            "profile": self.profile,
            "yes": list(self.yes),
            "abstain": list(self.abstain),
            "tests": [test.as_json() for test in self.tests],
        }


def parse_rules(
    value: Any, choices: tuple[str, ...], classes: tuple[str, ...], *, election: bool = False
) -> Rules:
    """Return the rules of parsed JSON for a motion with `choices` and a roll with `classes`.

    Raise ValueError, saying where, for anything but the prescribed form.
    """
    if not isinstance(value, dict) or value.keys() != {"profile", "yes", "abstain", "tests"}:
        raise ValueError("rules: other members than profile, yes, abstain, tests")
    if not is_name(value["profile"]):
        raise ValueError("rules.profile is not a name")
    yes, abstain = _subset(value["yes"], choices, "yes"), _subset(value["abstain"], choices, "abstain")
    if election and yes:
        raise ValueError("rules.yes: in an election every candidate is voted on")
    if not election and not yes:
        raise ValueError("rules.yes names no choice")
    if set(yes) & set(abstain):
        raise ValueError("rules: a choice is both in yes and in abstain")
    tests = value["tests"]
    if not isinstance(tests, list) or not 1 <= len(tests) <= MAX_TESTS:
        raise ValueError(f"rules.tests has not 1 to {MAX_TESTS} tests")
    parsed = tuple(_parse_test(test, classes) for test in tests)
    if len({test.name for test in parsed}) != len(parsed):
        raise ValueError("rules.tests: a name is given twice")
    return Rules(value["profile"], yes, abstain, parsed)


def _subset(value: Any, choices: tuple[str, ...], what: str) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or any(not isinstance(item, str) or item not in choices for item in value)
        or len(set(value)) != len(value)
    ):
        raise ValueError(f"rules.{what} is not a list of the motion's choices, each once")
    return tuple(value)


def _parse_test(value: Any, classes: tuple[str, ...]) -> Test:
    names = {"name", "scope", "count", "base", "unit", "comparator", "fraction"}
    if not isinstance(value, dict) or value.keys() != names:
        raise ValueError(f"a test has other members than {', '.join(sorted(names))}")
    if not is_name(value["name"]):
        raise ValueError("a test's name is not a name")
    if value["scope"] not in (ALL, EACH, *classes):
        raise ValueError(f"test {value['name']}: its scope is neither all, each nor a class of the roll")
    for member, allowed in (
        ("count", _COUNTS),
        ("base", _BASES),
        ("unit", _UNITS),
        ("comparator", _COMPARATORS),
    ):
        if value[member] not in allowed:
            raise ValueError(f"test {value['name']}: {member} is none of {', '.join(allowed)}")
    return Test(
        value["name"],
        value["scope"],
        cast("Count", value["count"]),
        cast("Base", value["base"]),
        cast("Unit", value["unit"]),
        cast("Comparator", value["comparator"]),
        _parse_fraction(value["fraction"], value["name"]),
    )


def _parse_fraction(value: Any, name: str) -> tuple[int, int]:
    if (
        not isinstance(value, list)
        or len(value) != 2  # noqa: PLR2004  numerator and denominator
        or any(type(item) is not int for item in value)
        or not 0 < value[0] <= value[1] <= MAX_INTEGER
    ):
        raise ValueError(f"test {name}: the fraction is not [n, d] with 0 < n <= d")
    return (value[0], value[1])
