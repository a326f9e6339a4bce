"""A real network whose channels are reconfigured with Fabric's own tools, and audited block by block."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.ledger import Ledger
from auditor.source import OwnPeer
from network import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from client.connection import Profile
    from network.running import RunningNetwork

IDENTITY = "identity"
ARBITRATION = "arbitration-institutiona"


@dataclass
class Governed:
    """Drives `configtxlator` and `peer channel` as the organisations' administrators."""

    network: RunningNetwork
    profile: Profile
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def blocks(self, channel: str, start: int = 0, stop: int | None = None) -> list[bytes]:
        """Read blocks from the Regulator's peer, waiting for those below `stop` that are not there yet."""
        with self.profile.gateway("RegulatorMSP", "auditor") as gateway:
            peer = OwnPeer(gateway)
            return list(peer.blocks(channel, start, peer.height(channel) if stop is None else stop))

    def genesis(self, channel: str) -> bytes:
        return bytes.fromhex(self.profile.channel(channel).genesis)

    def followed(self, channel: str, blocks: Sequence[bytes]) -> Ledger:
        """Verify blocks from genesis; nothing may be found."""
        ledger = Ledger(channel, self.genesis(channel))
        for raw in blocks:
            assert ledger.accept(raw).findings == ()
        return ledger

    def config(self, channel: str) -> pb.Message:
        """Return the configuration in force (common.Config)."""
        found = [config for raw in self.blocks(channel) if (config := config_of(raw)) is not None]
        return found[-1]

    def compute(self, channel: str, change: Callable[[pb.Message], object]) -> bytes:
        """Let `configtxlator` compute the update (common.ConfigUpdate) to a changed configuration."""
        paths = [self.folder / f"{next(self._numbers)}.{kind}" for kind in ("original", "updated", "update")]
        config = self.config(channel)
        paths[0].write_bytes(config.SerializeToString())
        change(config.channel_group)
        paths[1].write_bytes(config.SerializeToString())
        files = ("--original", str(paths[0]), "--updated", str(paths[1]), "--output", str(paths[2]))
        self.tool("configtxlator", "compute_update", "--channel_id", channel, *files)
        return paths[2].read_bytes()

    def update(self, channel: str, change: Callable[[pb.Message], object], *by: str) -> bytes:
        """Sign an update as these organisations' administrators, submit it, and return its block.

        Raises `network.errors.CommandFailed` where the orderers refuse it.
        """
        content = pb.configtx.ConfigUpdateEnvelope(config_update=self.compute(channel, change))
        payload = pb.common.Payload(data=content.SerializeToString())
        payload.header.channel_header = pb.common.ChannelHeader(
            type=pb.common.CONFIG_UPDATE, channel_id=channel
        ).SerializeToString()
        path = self.folder / f"{next(self._numbers)}.envelope"
        path.write_bytes(pb.common.Envelope(payload=payload.SerializeToString()).SerializeToString())
        *others, last = by
        for org in others:
            self.peer(org, "channel", "signconfigtx", "-f", str(path))
        cluster = self.network.cluster
        orderer = cluster.orderer_flags(cluster.topology.channel(channel))
        height = len(self.blocks(channel))
        self.peer(last, "channel", "update", "-c", channel, "-f", str(path), *orderer)
        return self.blocks(channel, height, height + 1)[0]

    def tool(self, name: str, *arguments: str) -> str:
        """Run one of Fabric's own programs."""
        return commands.run((self.network.cluster.binaries.program(name), *arguments), {})

    def peer(self, org: str, *arguments: str) -> str:
        """Run Fabric's `peer` as an organisation's administrator."""
        cluster = self.network.cluster
        program = cluster.binaries.program("peer")
        return commands.run((program, *arguments), cluster.peer_cli(cluster.topology.org(org)))


def config_of(raw: bytes) -> pb.Message | None:
    """Return the configuration in a block, None where it holds none."""
    block = pb.common.Block.FromString(raw)
    payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(block.data.data[0]).payload)
    if pb.common.ChannelHeader.FromString(payload.header.channel_header).type != pb.common.CONFIG:
        return None
    return pb.configtx.ConfigEnvelope.FromString(payload.data).config


def batch_size(root: pb.Message) -> None:
    value = root.groups["Orderer"].values["BatchSize"]
    size = pb.orderer_configuration.BatchSize.FromString(value.value)
    size.max_message_count += 1
    value.value = size.SerializeToString()


def anchor_peer(root: pb.Message) -> None:
    value = root.groups["Application"].groups["InstitutionAMSP"].values["AnchorPeers"]
    peers = pb.peer_configuration.AnchorPeers.FromString(value.value)
    peers.anchor_peers.add(host="127.0.0.1", port=1)
    value.value = peers.SerializeToString()
