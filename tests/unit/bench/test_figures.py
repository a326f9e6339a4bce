from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring as parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.bench.carriage import connected
from client.bench.figures import Stages, cumulated, percentiles
from client.bench.meter import Meter, peak_mib, processor_seconds, resident_mib
from client.bench.plot import draw
from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 50)), min_size=1, max_size=40))
def test_percentiles_are_those_of_every_single_ballot(weighted: list[tuple[float, int]]) -> None:
    every = sorted(value for value, count in weighted for _ in range(count))
    expected = {f"p{q}": round(every[-(-len(every) * q // 100) - 1], 3) for q in (50, 95, 99)}
    assert percentiles(weighted) == expected


def test_of_nothing_there_are_none() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentiles([])


def test_commits_are_summed_in_the_order_of_time() -> None:
    assert cumulated([(2.0, 5), (1.0, 3), (4.0, 1)]) == [(1.0, 3), (2.0, 8), (4.0, 9)]


def test_a_stage_that_comes_twice_is_added_up() -> None:
    stages = Stages()
    for _ in range(2):
        with stages.time("roll"):
            pass
    with pytest.raises(KeyError), stages.time("desk"):
        raise KeyError
    assert list(stages.seconds) == ["roll", "desk"]


def _holding(mib: int) -> Callable[[], subprocess.Popen[str]]:
    code = f"x = bytearray(b'1') * ({mib} << 20); del x; print('held', flush=True); input()"
    return lambda: subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_the_meter_reads_memory_and_processor_time_of_another_process() -> None:
    with _holding(64)() as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak = peak_mib(process.pid)
        assert peak is not None
        assert 64 < peak < 200
        now = resident_mib(process.pid)
        assert now is not None
        assert now < peak - 32
        with Meter({"other": process.pid, "me": os.getpid()}, sampled="other") as meter:
            sum(range(3_000_000))
        process.communicate("\n")
    # What it held before is not counted: the kernel's mark was set back.
    assert meter.peaks["other"] < peak - 32
    assert meter.processor["me"] > meter.processor["other"] == 0.0
    flat = meter.flatness()
    assert flat["samples"] == len(meter.samples) >= 1
    assert flat["first_tenth"] == flat["last_tenth"] == pytest.approx(now, abs=8)


def test_a_process_that_is_gone_has_no_figures() -> None:
    with _holding(1)() as process:
        process.communicate("\n")
    assert processor_seconds(process.pid) is peak_mib(process.pid) is resident_mib(process.pid) is None


def test_a_relay_that_does_not_start_is_said_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="didn't start"), connected({"database": "mysql://nobody"}):
        pytest.fail("it is not connected")
    assert "not supported" in capfd.readouterr().err


def test_the_plot_is_svg_with_a_line_each_for_ballots_naive_and_memory() -> None:
    figures = {
        "seconds": 4.0,
        "accepted": 100,
        "ballots_per_s": 25.0,
        "ratio_naive": 5.0,
        "naive_per_s": 5.0,
        "bytes_per_ballot": 500.0,
    }
    root = parse(draw(figures, [(1.0, 30), (4.0, 100)], [(0.0, 50.0), (3.9, 50.0)]))  # noqa: S314  our own
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert [line.get("points", "").split() for line in lines] == [
        ["90.0,400.0", "267.5,301.0", "800.0,70.0"],  # 30 of 100 after a quarter of the time
        ["90.0,400.0", "800.0,334.0"],  # 5 a second: 20 in the end
        ["90.0,125.0", "782.2,125.0"],
    ]
