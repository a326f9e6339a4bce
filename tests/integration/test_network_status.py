from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fabric_protos.common import common_pb2

from client.ca import certificate_attributes

if TYPE_CHECKING:
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

ORGS = {
    "association": "AssociationMSP",
    "institutiona": "InstitutionAMSP",
    "regulator": "RegulatorMSP",
    "arbitration": "ArbitrationMSP",
}
ENDORSERS = ("association", "regulator", "arbitration")


def concordat(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "client.cli.main", *arguments],
        env={**os.environ, "CONCORDAT_HOME": str(home)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def found_status(network: LiveNetwork) -> dict[str, Any]:
    done = concordat(network.home, "network", "status", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_status_lists_every_node(network: LiveNetwork) -> None:
    nodes = {node["name"]: node for node in found_status(network)["nodes"]}
    expected = {f"{kind}.{org}" for org in ORGS for kind in ("ca", "orderer0", "peer0")}
    expected |= {f"{name}.{org}" for org in ENDORSERS for name in ("identity", "arbitration")}
    assert expected | {"supervisor"} <= set(nodes)
    for name in expected:
        node = nodes[name]
        assert node["healthy"] is True
        assert node["msp"] == ORGS[node["org"]]
        assert Path(f"/proc/{node['pid']}").exists()
        assert node["address"].startswith("127.0.0.1:")
    assert nodes["peer0.regulator"]["role"] == "peer"
    assert nodes["identity.regulator"]["role"] == "chaincode"
    assert "identity.institutiona" not in nodes  # a party doesn't endorse


def test_heights_agree_with_the_official_command(network: LiveNetwork) -> None:
    for org in ORGS:
        exports = f"{sys.executable} -m client.cli.main network env {org}"
        script = f'eval "$({exports})"; peer channel getinfo -c identity'
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            env={**os.environ, "CONCORDAT_HOME": str(network.home)},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        information = json.loads(done.stdout.partition("Blockchain info: ")[2])
        heights = found_status(network)["channels"]["identity"]["heights"]
        assert information["height"] == heights[f"peer0.{org}"]


def test_up_again_changes_nothing(network: LiveNetwork) -> None:
    before = {node.name: node.pid for node in network.status().nodes}
    profile = (network.home / "network" / "connection.json").read_text(encoding="utf-8")
    network.up()
    assert {node.name: node.pid for node in network.status().nodes} == before
    assert (network.home / "network" / "connection.json").read_text(encoding="utf-8") == profile


def test_another_port_base_is_refused(network: LiveNetwork) -> None:
    done = concordat(network.home, "network", "up", "--port-base", "1500")
    assert done.returncode == 2
    assert "has port base" in done.stderr
    assert network.status().healthy


def test_genesis_hash_is_what_the_next_block_points_to(network: LiveNetwork) -> None:
    for name, channel in network.profile.channels.items():
        with network.profile.gateway("RegulatorMSP", "auditor") as gateway:
            content = gateway.network(name).contract("qscc").evaluate("GetBlockByNumber", name, "1")
        block: Any = common_pb2.Block.FromString(content)  # type: ignore[attr-defined]
        assert block.header.previous_hash.hex() == channel.genesis


def test_every_listener_is_on_the_loopback_interface(network: LiveNetwork) -> None:
    inodes: dict[str, str] = {}
    for node in network.status().nodes:
        for link in Path(f"/proc/{node.pid}/fd").iterdir():
            inodes[str(link.readlink())] = node.name
    listening = {}
    for table, loopback in (("tcp", "0100007F"), ("tcp6", "")):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            name = inodes.get(f"socket:[{fields[9]}]")
            if name is not None and fields[3] == "0A":
                address = fields[1].partition(":")[0]
                assert address == loopback, f"{name} listens on {fields[1]} ({table})"
                listening[name] = True
    assert len(listening) >= 4 * 3 + 2 * 3  # every node but the supervisor


def test_every_key_is_only_its_owners(network: LiveNetwork) -> None:
    keys = [
        path
        for path in (network.home / "network").rglob("*")
        if path.is_file() and (path.name.endswith(("key.pem", "_sk", ".secret")) or "keystore" in path.parts)
    ]
    assert len(keys) > 20
    for path in keys:
        assert path.stat().st_mode & 0o077 == 0, path


def test_identities_are_what_the_profile_says(network: LiveNetwork) -> None:
    profile = network.profile
    expected = {
        "AssociationMSP": {"admin", "officer", "relay", "verifier"},
        "InstitutionAMSP": {"admin", "officer"},
        "RegulatorMSP": {"admin", "officer", "relay", "auditor"},
        "ArbitrationMSP": {"admin", "officer"},
    }
    assert {msp: set(org.identities) for msp, org in profile.orgs.items()} == expected
    for org in profile.orgs.values():
        for role, credentials in org.identities.items():
            attributes = certificate_attributes(credentials.cert.read_bytes())
            assert attributes.get("role") == (None if role == "admin" else role)


def test_only_the_institution_has_a_lender_ca_and_no_channel_knows_its_root(network: LiveNetwork) -> None:
    profile = network.profile
    lender = profile.org("InstitutionAMSP").roots["lender"].read_bytes()
    assert [org.msp for org in profile.orgs.values() if "lender" in org.roots] == ["InstitutionAMSP"]
    for block in (network.home / "network" / "channels").glob("*/genesis.block"):
        content = block.read_bytes()
        assert lender.strip() not in content
        for org in profile.orgs.values():
            assert org.roots["identity"].read_bytes().strip() in content
