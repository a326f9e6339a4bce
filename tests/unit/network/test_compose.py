from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from client.cli.network import group
from network.compose import compose

if TYPE_CHECKING:
    from network.topology import Topology

FILE = Path(__file__).parents[3] / "docker-compose-fabric.yaml"


def test_the_file_in_the_repository_is_the_tables(table: Topology) -> None:
    assert FILE.read_text(encoding="utf-8") == compose(table, table.port_base), (
        "run `concordat network compose > docker-compose-fabric.yaml`"
    )


def test_the_command_prints_it(table: Topology) -> None:
    assert CliRunner().invoke(group, ["compose"]).output == compose(table, table.port_base)


def services(text: str) -> set[str]:
    return set(re.findall(r'^  "?([a-z0-9.]+)"?:$', text.partition("\nservices:\n")[2], re.MULTILINE))


def test_every_node_is_a_service(wider_table: Topology) -> None:
    found = services(compose(wider_table, 17000))
    for org in wider_table.orgs:
        assert {org.ca, org.orderer, org.peer} <= found
        for name in wider_table.chaincodes:
            assert (f"{name}.{org.name}" in found) == (name in wider_table.chaincodes_of(org))


@pytest.mark.parametrize("forbidden", ["/work", "/home", str(Path.home())])
def test_nothing_of_this_machine_is_in_it(forbidden: str) -> None:
    assert forbidden + "/" not in FILE.read_text(encoding="utf-8")


def test_no_container_sees_anothers_keys(table: Topology) -> None:
    text = compose(table, 17000).partition("\nservices:\n")[2]
    mounted = {}
    for block in re.split(r"\n  (?=\S)", text):
        node = block.partition(":")[0].strip(' "')
        mounted[node] = re.findall(r"network/(orgs/\S+):/", block)
    assert mounted["peer0.regulator"] == ["orgs/regulator/peer0", "orgs/regulator/tls-root.pem"]
    assert mounted["identity.regulator"] == []
    for node, folders in mounted.items():
        kind, _, org = node.partition(".")
        assert all(f in {f"orgs/{org}/{kind}", f"orgs/{org}/tls-root.pem"} for f in folders)
