"""What happens when parts of the network die, one at a time and all at once."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client.gateway import GatewayError
from network import processes
from network.errors import NodeFailed
from network.layout import Layout, tls_key
from network.ports import free_base
from network.running import RunningNetwork
from network.topology import DEFAULT_TABLE, load
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import LiveNetwork

pytestmark = [pytest.mark.network, pytest.mark.fault]

GENEROUS_SECONDS = 120
REPOSITORY = Path(__file__).parents[2]


def token(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()


def session() -> str:
    """A session of nobody: well-formed, so it is endorsed and committed, with the verdict `pending`."""
    document = {
        "v": 1,
        "ses": token(16),
        "sub": token(16),
        "x5t": token(32),
        "institution": "InstitutionAMSP",
        "mtg": "drill",
        "method": "face-v1",
        "outcome": "accept",
        "commitment": token(32),
        "issued_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-01-01T01:00:00Z",
    }
    return json.dumps([document])


def commit_one(network: LiveNetwork, via: str) -> None:
    """Commit one transaction through one organization's gateway; raises `GatewayError`."""
    with network.profile.gateway("AssociationMSP", "verifier", via=via) as gateway:
        gateway.network("identity").contract("identity").submit("RecordSessions", session())


def commit_within(network: LiveNetwork, via: str, seconds: float = GENEROUS_SECONDS) -> float:
    """Try until a transaction commits, every refusal being a clear one; return the seconds that it took."""
    began = time.monotonic()
    while True:
        try:
            commit_one(network, via)
        except GatewayError:  # and nothing else: a fault is told in the client's own words
            if time.monotonic() - began > seconds:
                raise
        else:
            return time.monotonic() - began


def wait_for_height(network: LiveNetwork, org: str, height: int) -> None:
    wait_until(lambda: network.height(org, "identity") >= height, f"{org}'s peer to catch up")


@pytest.fixture
def mended(network: LiveNetwork) -> Iterator[LiveNetwork]:
    """The network, brought back whole after the test."""
    yield network
    network.up()
    assert network.status().healthy


def pids(network: RunningNetwork) -> dict[str, int | None]:
    return {node.name: node.pid for node in network.status().nodes}


def test_commits_go_on_after_the_leader_is_killed(
    mended: LiveNetwork, record_property: Callable[[str, object], None]
) -> None:
    commit_one(mended, "RegulatorMSP")
    leader = mended.leader("identity")
    assert leader is not None
    mended.kill(leader)
    seconds = commit_within(mended, "RegulatorMSP")
    record_property("seconds_without_leader", seconds)
    sys.stderr.write(f"commits went on {seconds:.1f} s after {leader} was killed\n")
    wait_until(lambda: mended.leader("identity") not in {None, leader}, "another leader")
    # The orderer comes back as a follower and catches up.
    mended.start(leader)
    commit_within(mended, "RegulatorMSP")


@pytest.mark.parametrize("victim", ["association", "institutiona", "regulator", "arbitration"])
def test_commits_go_on_without_any_one_orderer(mended: LiveNetwork, victim: str) -> None:
    mended.kill(f"orderer0.{victim}")
    for org in mended.profile.orgs.values():
        commit_within(mended, org.msp)
    height = mended.height("regulator", "identity")
    # Nobody's ledger stays behind, not even where the peer had its blocks from the dead orderer.
    for org in mended.profile.orgs.values():
        wait_for_height(mended, org.name, height)
    mended.start(f"orderer0.{victim}")


@pytest.mark.parametrize("victim", ["association", "institutiona", "regulator", "arbitration"])
def test_commits_go_on_without_any_one_peer(mended: LiveNetwork, victim: str) -> None:
    others = [org for org in mended.profile.orgs.values() if org.name != victim]
    mended.kill(f"peer0.{victim}")
    for org in others:
        commit_within(mended, org.msp)
    height = mended.height(others[0].name, "identity")
    mended.start(f"peer0.{victim}")
    wait_for_height(mended, victim, height)


@pytest.mark.parametrize("chaincode", ["identity", "arbitration"])
def test_a_killed_chaincode_process_comes_back(mended: LiveNetwork, chaincode: str) -> None:
    node = f"{chaincode}.regulator"
    before = mended.pid(node)
    mended.kill(node)
    wait_until(lambda: (pid := pids(mended)[node]) is not None and pid != before, f"another {node}")
    mended.wait_healthy(node)
    # It answers again, not only listens. No other organization is asked.
    channel = next(c for c in mended.profile.channels.values() if c.chaincode == chaincode)
    function, arguments = ("ListMeetings", []) if chaincode == "arbitration" else ("GetIssuer", ["NobodyMSP"])

    def answers() -> bool:
        with mended.profile.gateway("RegulatorMSP", "officer") as gateway:
            contract = gateway.network(channel.name).contract(chaincode)
            proposal = contract.new_proposal(function, arguments=arguments, endorsing_orgs=["RegulatorMSP"])
            try:
                proposal.evaluate()
            except GatewayError as error:
                return "NOT_FOUND" in str(error)
            return True

    wait_until(answers, f"an answer of {node}")


def test_everything_killed_at_once_resumes_with_its_ledgers(mended: LiveNetwork) -> None:
    commit_one(mended, "RegulatorMSP")
    height = mended.height("regulator", "identity")
    layout = Layout(mended.home)
    # The supervisor first: it would be at bringing services back.
    records = sorted(processes.all_recorded(layout), key=lambda r: r.node != "supervisor")
    for record in records:
        os.kill(record.pid, signal.SIGKILL)
    # What the kernel is still ending would pass for running.
    wait_until(lambda: not any(record.alive() for record in records), "everything killed")
    assert len(processes.recorded_nodes(layout)) >= 19  # stale records, as after a crash of the machine
    mended.up()
    assert mended.status().healthy
    assert mended.height("regulator", "identity") >= height
    commit_within(mended, "RegulatorMSP")


def test_a_lost_supervisor_is_replaced_and_services_are_adopted(mended: LiveNetwork) -> None:
    before = pids(mended)
    mended.kill("supervisor")
    assert not mended.status().healthy
    mended.up()
    after = pids(mended)
    assert after["supervisor"] != before["supervisor"]
    assert after["identity.regulator"] == before["identity.regulator"]


def test_a_node_that_cannot_start_is_named_with_its_last_words(mended: LiveNetwork) -> None:
    key = tls_key(Layout(mended.home).orderer(mended.cluster.topology.org("arbitration")))
    content = key.read_bytes()
    mended.kill("orderer0.arbitration")
    key.write_text("no key", encoding="utf-8")
    try:
        with pytest.raises(NodeFailed, match=r"orderer0\.arbitration ended while the network was starting"):
            mended.up()
        done = subprocess.run(
            [sys.executable, "-m", "client.cli.main", "network", "up"],
            env={**os.environ, "CONCORDAT_HOME": str(mended.home)},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        *lines, sentence = done.stderr.splitlines()
        assert sentence.startswith("concordat: orderer0.arbitration ended")
        assert any("TLS" in line or "key" in line.lower() for line in lines if line.startswith("  | "))
    finally:
        key.write_bytes(content)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningNetwork]:
    """A home of its own, where nothing was made yet."""
    running = RunningNetwork(tmp_path / "fresh")
    yield running
    running.down(purge=True)


def test_a_start_killed_half_way_is_cleaned_up_by_the_next(fresh: RunningNetwork) -> None:
    base = free_base(load(DEFAULT_TABLE))
    command = [sys.executable, "-m", "client.cli.main", "network", "up", "--port-base", str(base)]
    with subprocess.Popen(
        command,
        env={**os.environ, "CONCORDAT_HOME": str(fresh.home)},
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as started:
        assert started.stderr is not None
        for line in started.stderr:
            if line.startswith("certificate authorities"):
                break
        started.kill()
    layout = Layout(fresh.home)
    orphans = processes.all_recorded(layout)
    assert orphans  # CA servers of a network that was never completed
    fresh.up(base=base)
    assert fresh.status().healthy
    assert not any(record.alive() for record in orphans)
    left = processes.all_recorded(layout)
    fresh.down(purge=True)
    assert not any(record.alive() for record in left)
    assert processes.strays(layout) == ()
    assert not layout.root.exists()
