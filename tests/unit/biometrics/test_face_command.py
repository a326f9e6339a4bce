from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from client.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path, astronaut: Image.Image, encode: Callable[..., bytes]) -> Path:
    files = {
        "reference.png": encode(astronaut, "PNG"),
        "probe.jpg": encode(astronaut.rotate(7), quality=80),
        "empty.jpg": b"",
        "noise.jpg": bytes(range(256)) * 10,
        "cmyk.jpg": encode(astronaut.convert("CMYK")),
        "nobody.png": encode(astronaut.crop((0, 300, 200, 500)), "PNG"),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@dataclass(frozen=True)
class Case:
    first: str
    second: str
    code: int
    decision: str
    reasons: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        Case("reference.png", "probe.jpg", 0, "accept"),
        Case("reference.png", "reference.png", 1, "reject", ("REPLAYED_REFERENCE",)),
        Case("reference.png", "nobody.png", 1, "retry", ("NO_FACE",)),
        Case("nobody.png", "reference.png", 1, "retry", ("NO_FACE",)),
        Case("reference.png", "empty.jpg", 2, "retry", ("IMAGE_EMPTY",)),
        Case("noise.jpg", "reference.png", 2, "retry", ("IMAGE_FORMAT",)),
        Case("cmyk.jpg", "reference.png", 2, "retry", ("IMAGE_COLOUR",)),
    ],
    ids=str,
)
def test_compare(pictures: Path, capsys: pytest.CaptureFixture[str], case: Case) -> None:
    files = [str(pictures / name) for name in (case.first, case.second)]
    assert main(["face", "compare", *files, "--json"]) == case.code
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert (answer["decision"], tuple(answer["reasons"])) == (case.decision, case.reasons)
    assert (answer["distance"] is None) == (case.decision != "accept")
    assert output.err.count("\n") == (0 if case.code == 0 else 1)


def test_a_stricter_policy_changes_the_answer(
    pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = resources.files("biometrics").joinpath("policy.toml").read_text("utf-8")
    strict = tmp_path / "strict.toml"
    strict.write_text(text.replace("= 500", "= 10").replace("= 600", "= 20").replace("face-v3", "strict"))
    command = ["face", "compare", str(pictures / "reference.png"), str(pictures / "probe.jpg")]
    assert main([*command, "--policy", str(strict), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["decision"], answer["policy"]) == ("reject", "strict")


@pytest.fixture
def pairs(pictures: Path) -> Path:
    folder = pictures / "lists"
    folder.mkdir()
    (folder / "pairs.csv").write_text("file_x,file_y,Decision\nreference.png,probe.jpg,Yes\n")
    return folder / "pairs.csv"


def test_the_plot_goes_beside_the_pairs(
    pictures: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["face", "evaluate", str(pairs), "--root", str(pictures), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["det_plot"] == str(pairs.with_name("pairs.det.png"))
    assert pairs.with_name("pairs.det.png").read_bytes().startswith(b"\x89PNG")


def test_a_plot_that_can_not_be_written_loses_no_result(
    pictures: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = pictures / "missing" / "det.png"
    command = ["face", "evaluate", str(pairs), "--root", str(pictures), "--det", str(missing), "--json"]
    assert main(command) == 2
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert (answer["pairs"], answer["det_plot"]) == (1, None)
    assert "can't be written" in output.err


def test_a_missing_file_is_one_line(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["face", "compare", str(pictures / "none.jpg"), str(pictures / "probe.jpg")]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "none.jpg" in output.err


def test_the_benchmark_also_measures_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["face", "bench", "--sessions", "1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["outcome"], answer["service_outcome"]) == ("accept", "accept")
    assert 0 < answer["service_decision_ms"] <= answer["service_decision_ms_worst"]
    assert {"cpu_ms_per_frame", "decision_ms", "decision_ms_worst", "growth_kib"} <= set(answer)
