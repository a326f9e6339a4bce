"""A follower as a process of its own, and a webhook that can be down, for tests that need them to fail."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.integration.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Hook:
    """A server on loopback that takes announcements, refuses them while `down`, or sends them `elsewhere`."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.refused = 0
        self.down = False
        self.elsewhere = ""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hook.down or hook.elsewhere:
                    hook.refused += 1
                else:
                    hook.told.append(document)
                self.send_response(302 if hook.elsewhere else 503 if hook.down else 204)
                if hook.elsewhere:
                    self.send_header("Location", hook.elsewhere)
                self.end_headers()

            def do_GET(self) -> None:
                hook.told.append({"got": self.path})
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/alarms"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FollowerProcess:
    """`concordat audit follow` with its metrics; start it again after each death."""

    def __init__(self, home: Path, state: Path, *options: str) -> None:
        self._command = [
            *(sys.executable, "-m", "client.cli.main", "audit", "follow", "--state", str(state)),
            *("--metrics-port", "0", *options),
        ]
        self._environment = os.environ | {"CONCORDAT_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self._log = state.with_suffix(".log")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> FollowerProcess:
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, cwd=ROOT, stderr=log, stdout=log, text=True
            )
        wait_until(lambda: self._port() or self.process is None or self.process.poll() is not None, "metrics")
        assert self._port(), self.log
        return self

    @property
    def log(self) -> str:
        return self._log.read_text()

    def _port(self) -> int:
        found = re.search(r"metrics on http://127\.0\.0\.1:(\d+)/metrics", self.log)
        return int(found.group(1)) if found else 0

    def value(self, name: str) -> float:
        """Return the sum of a metric's samples whose text begins so, 0 where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port()}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0.0
        return sum(
            float(one.rpartition(" ")[2]) for one in lines if one.startswith(f"concordat_audit_{name}")
        )

    def close(self) -> None:
        """Leave nothing running, whatever became of the test."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)
