"""One concept a file, and so no long ones (CONTRIBUTING.md, "Structure")."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 400
# What nobody reads from top to bottom: made by a compiler, or tables of test vectors.
MADE = ("_pb2.py", "_pb2_grpc.py", ".pb.go")


def sources() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.go"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [
        name
        for name in listed.stdout.split("\0")
        if name
        and not name.startswith("tests/")
        and "vectors" not in Path(name).parts
        and not name.endswith(("_test.go", *MADE))
        and (ROOT / name).exists()  # one that is being moved is listed until then
    ]


def test_no_source_file_is_longer_than_one_can_read() -> None:
    names = sources()
    assert {"client/cli/main.py", "chaincode/ballot/ballot.go"} <= set(names)
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in names}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
