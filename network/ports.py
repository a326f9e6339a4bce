"""Every port follows from the base, the organization's slot and a fixed offset; who holds a port."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from network.errors import NetworkError, PortTaken
from network.topology import EXTRA_CHAINCODES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from network.topology import Org, Topology

LOOPBACK: Final = "127.0.0.1"
EXTRA_KEYS: Final = tuple(f"extra{number}" for number in range(1, EXTRA_CHAINCODES + 1))
"""Keys of the ports that are set aside for chaincodes added to a running network."""
_CHAINCODE_OFFSET = 60
_EPHEMERAL_START = 32768
_UNKNOWN: Final = "another process"
_DYING = 5.0  # seconds that a killed process may take to give its ports back
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class OrgPorts:
    """The ports of one organization's nodes, all on the loopback interface."""

    orderer: int
    peer: int
    peer_chaincode: int
    orderer_admin: int
    ca: int
    peer_operations: int
    orderer_operations: int
    ca_operations: int
    chaincodes: dict[str, int]


def ports_of(topology: Topology, base: int, org: Org) -> OrgPorts:
    """Derive an organization's ports from the base."""
    first = base + org.slot * topology.port_stride
    keys = (*topology.chaincodes, *EXTRA_KEYS)
    return OrgPorts(
        orderer=first + 50,
        peer=first + 51,
        peer_chaincode=first + 52,
        orderer_admin=first + 53,
        ca=first + 54,
        peer_operations=first + 55,
        orderer_operations=first + 56,
        ca_operations=first + 57,
        chaincodes={key: first + _CHAINCODE_OFFSET + index for index, key in enumerate(keys)},
    )


def all_ports(topology: Topology, base: int) -> tuple[int, ...]:
    """Return every port that the network may use."""
    found: list[int] = []
    for org in topology.orgs:
        ports = ports_of(topology, base, org)
        found += [ports.orderer, ports.peer, ports.peer_chaincode, ports.orderer_admin, ports.ca]
        found += [ports.peer_operations, ports.orderer_operations, ports.ca_operations]
        found += ports.chaincodes.values()
    return tuple(found)


def is_free(port: int) -> bool:
    """Say whether the port could be listened on right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(node: str, ports: Iterable[int]) -> None:
    """Raise `PortTaken`, naming the port and its holder where that can be known.

    A holder that can't be named may be a killed process on its way out: it gets a moment to go.
    """
    deadline = time.monotonic() + _DYING
    for port in ports:
        while not is_free(port):
            known = holder(port)
            if known == _UNKNOWN and time.monotonic() < deadline:
                time.sleep(_POLL)
                continue
            raise PortTaken(
                f"port {port}, which {node} needs, is taken by {known}; "
                "stop that process or choose other ports with --port-base"
            )


def free_base(topology: Topology, first: int = 20000) -> int:
    """Return a port base at which every port is free at this moment, below the ephemeral range.

    Ranges are tried in a random order, so that networks started at the same time hardly meet.
    """
    span = topology.port_stride * (1 + max(org.slot for org in topology.orgs))
    bases = list(range(first, _EPHEMERAL_START - span, span))
    for base in random.SystemRandom().sample(bases, len(bases)):
        if all(is_free(port) for port in all_ports(topology, base)):
            return base
    raise NetworkError(f"no range of free ports from {first} up to {_EPHEMERAL_START}")


def holder(port: int) -> str:
    """Name the process that listens on a port: `process 123 (command line)`, or `another process`."""
    inodes = _listening_inodes(port)
    for directory in Path("/proc").glob("[0-9]*/fd"):
        try:
            targets = {str(link.readlink()) for link in directory.iterdir()}
        except OSError:
            continue
        if targets & inodes:
            pid = directory.parent.name
            command = (
                (directory.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
            return f"process {pid} ({command.strip()[:80]})"
    return _UNKNOWN


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
                found.add(f"socket:[{fields[9]}]")
    return found
