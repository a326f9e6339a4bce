"""Shell variables with which Fabric's own `peer` command speaks to the network as one organization."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from network.cluster import Cluster
    from network.topology import Org


def exports(cluster: Cluster, org: Org) -> str:
    """Return `export` lines for a POSIX shell; they act as the organization's administrator."""
    folders = f"{cluster.binaries.fabric}:{cluster.binaries.fabric_ca}"
    lines = [f"export {name}={shlex.quote(value)}" for name, value in cluster.peer_cli(org).items()]
    return (
        "\n".join([*lines, "export FABRIC_LOGGING_SPEC=error", f'export PATH={shlex.quote(folders)}:"$PATH"'])
        + "\n"
    )
