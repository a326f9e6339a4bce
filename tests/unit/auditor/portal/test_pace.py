"""Paces count clients by what they can't change: a network, and a trusted proxy's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.portal.address import client_of, parse_proxy
from auditor.portal.pace import Pace, Rate
from client.cli.main import main
from tests.unit.auditor.meeting_player import MTG
from tests.unit.auditor.portal.site import PATH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.portal.site import Site

PROXIES = [parse_proxy("10.0.0.0/8"), parse_proxy("::1"), parse_proxy("2001:db8:ffff::/48")]


def test_an_ipv6_client_is_its_network_and_an_ipv4_client_its_address() -> None:
    first, same, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
    assert client_of(first, (), ()) == client_of(same, (), ()) == "2001:db8:1:2::/64"
    assert client_of(other, (), ()) != client_of(first, (), ())
    assert client_of("192.0.2.1", (), ()) != client_of("192.0.2.2", (), ())
    assert client_of("::ffff:192.0.2.1", (), ()) == client_of("192.0.2.1", (), ())
    assert client_of("fe80::1%eth0", (), ()) == "fe80::/64"
    assert client_of("", (), ()) == ""


def test_a_forwarded_address_is_believed_from_a_trusted_proxy_alone() -> None:
    assert client_of("192.0.2.1", ["198.51.100.7"], PROXIES) == "192.0.2.1"
    assert client_of("10.1.1.1", ["198.51.100.7"], ()) == "10.1.1.1"
    assert client_of("10.1.1.1", ["198.51.100.7"], PROXIES) == "198.51.100.7"
    assert client_of("::1", ["2001:db8:1:2::5"], PROXIES) == "2001:db8:1:2::/64"
    assert client_of("10.1.1.1", ["198.51.100.7, 10.2.2.2"], PROXIES) == "198.51.100.7"


def test_what_the_client_wrote_itself_is_not_believed() -> None:
    # A proxy appends the address that it saw; whatever stands before that, the client may have sent.
    assert client_of("10.1.1.1", ["203.0.113.9, 198.51.100.7"], PROXIES) == "198.51.100.7"
    assert client_of("10.1.1.1", ["203.0.113.9", "198.51.100.7"], PROXIES) == "198.51.100.7"
    assert client_of("10.1.1.1", ["203.0.113.9, unknown"], PROXIES) == "10.1.1.1"
    assert client_of("10.1.1.1", ["", ""], PROXIES) == "10.1.1.1"


def counted(site: Site, path: str, remote: str, forwarded: str = "") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return site.client.get(path, headers=headers, environ_base={"REMOTE_ADDR": remote}).status_code


@pytest.mark.parametrize("path", [PATH, f"/api{PATH}", f"/api{PATH}/ballots/none", f"{PATH}/no-vote", "/"])
def test_reading_has_a_rate_too(site: Site, path: str) -> None:
    object.__setattr__(site.parts, "reading", Pace(Rate(2, 0.01), Rate(100, 100)))
    assert [counted(site, path, f"2001:db8::{one}") == 429 for one in range(3)] == [False, False, True]
    assert counted(site, path, "2001:db8:0:1::") != 429


def test_behind_a_trusted_proxy_each_client_has_its_own_rate(site: Site) -> None:
    object.__setattr__(site.parts, "reading", Pace(Rate(1, 0.01), Rate(100, 100)))
    object.__setattr__(site.parts, "proxies", PROXIES)
    assert [counted(site, PATH, "10.1.1.1", f"198.51.100.{one}") for one in (1, 2, 1)] == [200, 200, 429]
    # Not behind it, whoever names other clients still is one.
    assert [counted(site, PATH, "192.0.2.1", f"198.51.100.{one}") for one in (3, 4)] == [200, 429]


def test_costly_requests_are_counted_by_network_as_well(site: Site) -> None:
    object.__setattr__(site.parts, "pace", Pace(Rate(1, 0.01), Rate(100, 100)))
    codes = [
        site.client.post(
            f"/api/meetings/institutiona/{MTG}/ballots",
            data=b"{}",
            environ_base={"REMOTE_ADDR": f"2001:db8::{one}"},
        ).status_code
        for one in range(2)
    ]
    assert codes == [400, 429]


@pytest.mark.parametrize("text", ["somewhere", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_proxy_that_is_no_address_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path))
    assert main(["audit", "serve", "--port", "0", "--proxy", text]) == 2
    error = capsys.readouterr().err
    assert ("--proxy takes an address or a network" in error, error.count("\n")) == (True, 1)
