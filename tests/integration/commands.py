"""Commands run in this process, by what they print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from client.cli.main import main

if TYPE_CHECKING:
    import pytest


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    """Run a command with `--json`; return its exit code and the JSON that it printed, or what stderr said."""
    code = main([*map(str, arguments), "--json"])
    output = capsys.readouterr()
    return code, json.loads(output.out) if output.out else output.err
