"""A real Chromium at the real pages, served on the loopback interface."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

from auditor.log.service_db import ServiceDatabase
from client.serving.bounded import BoundedServer
from tests.unit.auditor.builder import Network
from tests.unit.auditor.portal.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


class Served:
    """A played meeting's pages, at an address."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._server = BoundedServer("127.0.0.1", 0, site.app)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this host: the pages are not looked at in a browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database = ServiceDatabase.open(f"sqlite:///{tmp_path_factory.mktemp('portal') / 'audit.db'}")
    one = Served(Site(Network(), database, revote="last"))
    yield one
    one.close()
    database.close()
