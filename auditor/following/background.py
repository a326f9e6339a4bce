"""Full passes in the background: one process at a time, looked at without waiting."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.following.passing import PassOrder

_COMMAND: Final = (sys.executable, "-m", "auditor.following.passing")


class Pass:
    """Starts passes and hears what they found; without an order there are none."""

    def __init__(self, order: PassOrder | None) -> None:
        self._order = order
        self._process: subprocess.Popen[str] | None = None
        self._files: tuple[IO[str], IO[str]] | None = None
        self._began = float("-inf")

    @property
    def running(self) -> bool:
        """Say whether a pass was begun whose answer nobody has heard yet."""
        return self._process is not None

    def begin(self, every: float) -> None:
        """Start a pass if none runs and the last one began `every` seconds ago or longer."""
        if self._order is None or self._process is not None or time.monotonic() - self._began < every:
            return
        self._began = time.monotonic()
        # Files, not pipes: nobody reads while it runs.
        answer, words = (tempfile.TemporaryFile("w+") for _ in range(2))  # noqa: SIM115  closed when read
        self._files = (answer, words)
        self._process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=answer, stderr=words, text=True
        )
        if self._process.stdin is not None:
            self._process.stdin.write(self._order.encode() + "\n")
            self._process.stdin.close()

    def answer(self) -> dict[str, Any] | str | None:
        """Return what an ended pass answered, or why it could not be carried out; None while it runs."""
        if self._process is None or self._files is None or self._process.poll() is None:
            return None
        answer, words = self._read()
        code, self._process = self._process.returncode, None
        if code == 0:
            value: dict[str, Any] = json.loads(answer)
            return value
        lines = words.strip().splitlines()
        return lines[-1] if lines else f"the pass ended with {code}"

    def end(self) -> None:
        """End a pass that runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._read()
            self._process = None

    def _read(self) -> tuple[str, str]:
        texts = []
        for file in self._files or ():
            file.seek(0)
            texts.append(file.read())
            file.close()
        return texts[0], texts[1]
