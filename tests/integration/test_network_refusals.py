"""What `concordat network` says when it cannot do what is asked; nothing is started or changed then."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from network.ports import all_ports, free_base
from network.topology import DEFAULT_TABLE, load

pytestmark = pytest.mark.network


def concordat(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "client.cli.main", "network", *arguments],
        env={**os.environ, "CONCORDAT_HOME": str(home)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    table = load(DEFAULT_TABLE)
    base = free_base(table)
    port = base + 2 * table.port_stride + 51  # the Regulator's peer
    assert port in all_ports(table, base)
    with socket.create_server(("127.0.0.1", port)):
        done = concordat(tmp_path, "up", "--port-base", str(base))
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert re.match(
        rf"concordat: port {port}, which peer0\.regulator needs, is taken by process {os.getpid()} \(", last
    )
    assert not (tmp_path / "network").exists()


def test_a_bad_table_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    table = tmp_path / "table.toml"
    table.write_text(
        DEFAULT_TABLE.read_text(encoding="utf-8").replace("slot = 2", "slot = 1"), encoding="utf-8"
    )
    done = concordat(tmp_path / "home", "up", "--topology", str(table))
    assert done.returncode == 2
    assert done.stderr == f"concordat: {table}: organizations' slot: 1 appears twice\n"
    assert not (tmp_path / "home" / "network").exists()


@pytest.mark.parametrize("arguments", [("status",), ("status", "--json"), ("env", "regulator")])
def test_no_network_says_what_to_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = concordat(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "run `concordat network up`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_down_without_a_network_is_no_error(tmp_path: Path) -> None:
    done = concordat(tmp_path, "down", "--purge", "--json")
    assert done.returncode == 0
    assert done.stdout == '{"stopped": [], "purged": true}\n'


def test_an_impossible_port_base_is_refused(tmp_path: Path) -> None:
    done = concordat(tmp_path, "up", "--port-base", "65200")
    assert done.returncode == 2
    assert "port base 65200" in done.stderr
    assert not (tmp_path / "network").exists()
