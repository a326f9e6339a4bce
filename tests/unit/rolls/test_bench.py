"""`concordat bench roll`: the real commands, small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.bench.progress import Progress
from client.bench.roll import Settings, _command, as_text, bench_roll
from client.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_figure_is_there_and_comes_of_a_whole_run() -> None:
    figures = bench_roll(Settings(rows=40, seed=2), Progress())
    assert (figures["lenders"], figures["rows"] >= 40, figures["proofs"]) == (40, True, 1000)
    for command in (figures["csv"]["import"], figures["xlsx"]["import"], figures["root_command"]):
        assert command["seconds"] >= 0 < command["cpu_s"]
        assert command["rss_mib"] > 10
    for name in ("proof_ms", "proof_from_file_ms"):
        assert 0 < figures[name]["p50"] <= figures[name]["p95"] <= figures[name]["max"]
    assert "40 lenders" in as_text(figures)


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`concordat roll root` failed: concordat: .*can't be read"):
        _command(tmp_path, "roll", "root", str(tmp_path / "nowhere.jsonl"))
