"""The benchmark itself, small, on the real network: what it prints adds up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.network
ROOT = Path(__file__).parents[2]
BALLOTS = 60


def concordat(home: Path, *arguments: str) -> tuple[int, str, str]:
    environment = os.environ | {"CONCORDAT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "client.cli.main", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_figures_of_a_run_add_up(tmp_path: Path) -> None:
    plot = tmp_path / "run.svg"
    options = ("--ballots", str(BALLOTS), "--batch", "20", "--naive-seconds", "1", "--plot", str(plot))
    code, out, log = concordat(tmp_path, "bench", "cast", "--orgs", "4", *options, "--json")
    assert code == 0, log
    found: dict[str, Any] = json.loads(out)
    assert (found["ballots"], found["accepted"], found["transactions"]) == (BALLOTS, BALLOTS, 3)
    assert found["endorsers"] == 2
    assert found["ballots_per_s"] == pytest.approx(BALLOTS / found["seconds"], rel=0.01)
    assert found["naive_per_s"] == max(level["per_s"] for level in found["naive"])
    assert found["ratio_naive"] == pytest.approx(found["ballots_per_s"] / found["naive_per_s"], rel=0.05)
    ceiling = found["cores"] / (found["endorsers"] * found["verify_us"] / 1e6)
    assert found["ceiling_per_s"] == pytest.approx(ceiling, rel=0.01)
    assert found["ratio_ceiling"] == pytest.approx(found["ballots_per_s"] / found["ceiling_per_s"], rel=0.02)
    assert 400 < found["bytes_per_ballot"] < 3000
    latency = found["latency_s"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] <= found["seconds"]
    measured = {name.split(".")[0] for name in found["rss_mib"]}
    assert measured >= {"peer0", "orderer0", "arbitration", "identity", "relay", "bench"}
    assert found["rss_mib"].keys() == found["cpu_s"].keys()
    assert found["close"]["counted"] == BALLOTS
    assert found["stages"].keys() >= {"keys", "enrol", "roll", "sessions", "desk", "relay", "close"}
    assert plot.read_text("utf-8").startswith("<svg")
    assert "cast" in log
    assert not (tmp_path / "bench" / "cohorts").exists()


def test_closing_counts_every_ballot_and_kept_voters_serve_again(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        code, out, log = concordat(tmp_path, "bench", "close", "--ballots", "30", "--keep", "--json")
        assert code == 0, log
        found.append(json.loads(out))
    assert [(one["counted"], one["subtotals"]) for one in found] == [(30, 1)] * 2
    assert found[0]["seconds"] == found[0]["closed_s"] >= found[0]["proposed_s"]
    (folder,) = (tmp_path / "bench" / "cohorts").iterdir()
    assert len(list(folder.glob("*.cbor"))) == 1
    assert len(list(folder.glob("*.enrolled-*"))) == 2  # two networks


def test_an_audit_counts_what_it_had_to_verify(tmp_path: Path) -> None:
    code, out, log = concordat(
        tmp_path, "bench", "audit", "--ballots", str(BALLOTS), "--batch", "20", "--json"
    )
    assert code == 0, log
    found: dict[str, Any] = json.loads(out)
    assert (found["verdict"], found["discrepancies"]) == ("consistent", 0)
    assert (found["ballots"], found["accepted"]) == (BALLOTS, BALLOTS)
    counted = found["signatures"]
    assert {counted[name] for name in ("ballots", "acknowledgements", "certificates")} == {BALLOTS}
    assert counted["endorsements"] >= 2 * (BALLOTS // 20)
    assert counted["creators"] > 0
    assert counted["orderers"] >= 3 * (sum(found["blocks"].values()) - len(found["blocks"]))
    assert 0 < found["seconds_reconcile"] < found["seconds"]
    assert found["ratio"] == pytest.approx(found["seconds"] / found["signature_seconds"], rel=0.05)
    assert found["cpu_s"].keys() == {"audit", "helpers", "signatures"}
    assert found["processes"] >= 2
    assert found["rss_mib"] > 50


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--plot", "run.bmp"), "name a file that ends in .svg"),
        (("--plot", "nowhere/run.svg"), "in a folder that exists"),
    ],
)
def test_what_could_not_be_written_in_the_end_is_refused_at_the_beginning(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    code, out, log = concordat(tmp_path, "bench", "cast", *options)
    assert (code, out, log.count("\n")) == (2, "", 1)
    assert sentence in log


def test_another_number_of_organizations_is_refused(tmp_path: Path) -> None:
    code, out, log = concordat(tmp_path, "bench", "close", "--ballots", "1", "--orgs", "27")
    assert (code, out) == (2, "")
    assert "has 4 organizations, not 27" in log.splitlines()[-1]
