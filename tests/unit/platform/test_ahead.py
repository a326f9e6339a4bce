from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from client.platform.ahead import in_order


def test_results_come_in_order_and_no_more_is_begun_than_asked_for() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number * number

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, iter(range(100)), 3)
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
        assert len(begun) <= 7
        assert list(results) == [number * number for number in range(5, 100)]


def test_what_fails_is_raised_and_the_rest_is_left() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ValueError(number)
        return number

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="3"):
        list(in_order(pool, work, range(1000), 2))
    assert len(begun) <= 6
