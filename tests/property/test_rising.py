"""Times against the order of numbers: found wherever a look at every pair finds one, and in few rows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.portal.rising import LEVELS, Rising, Row

LAST = 2**53 - 1
DOORS = st.sampled_from(["A", "B"])
NUMBERS = st.one_of(st.integers(1, 700), st.integers(1, 70_000), st.integers(1, LAST))
TIMES = st.integers(0, 40)


class Rows(dict[str, Row]):
    """Rows that count how often one is read."""

    read = 0

    def get(self, key: str, default: Any = None) -> Any:
        """Count and answer."""
        self.read += 1
        return super().get(key, default)

    def __getitem__(self, key: str) -> Row:
        """Count and answer."""
        self.read += 1
        return super().__getitem__(key)


@given(
    given_out=st.lists(st.tuples(DOORS, NUMBERS, TIMES), max_size=40),
    door=DOORS,
    number=NUMBERS,
    time=TIMES,
    slack=st.integers(0, 20),
)
def test_as_a_look_at_every_pair(
    given_out: list[tuple[str, int, int]], door: str, number: int, time: int, slack: int
) -> None:
    rows = Rows()
    rising = Rising(rows)
    for one in given_out:
        rising.add(*one)
    low, high = time - slack, time + slack
    wrong = {
        other
        for by, other, at in given_out
        if by == door and ((other < number and at > high) or (other > number and at < low))
    }
    rows.read = 0
    found = rising.against(door, number, low=low, high=high)
    assert found in wrong if wrong else found is None
    assert rows.read <= 2 * LEVELS
