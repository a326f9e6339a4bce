"""The table of organizations, channels and chaincodes, parsed once and valid ever after."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from network.errors import TopologyError
from network.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TABLE: Final = Path(__file__).with_name("topology.toml")
EXTRA_CHAINCODES: Final = 4
"""Chaincodes that may be added to a running network (their ports are set aside)."""

_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")
_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,59}")
_MSP = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_MAX_CHAINCODES = 6
_BFT_MINIMUM = 4
_FIRST_PORT = 1024
_PORTS = 65536


@dataclass(frozen=True, slots=True)
class Org:
    """One organization: a CA server, a peer and an orderer."""

    name: str
    title: str
    msp: str
    slot: int
    roles: tuple[str, ...]
    lender_ca: bool

    @property
    def peer(self) -> str:
        """Name of its peer."""
        return f"peer0.{self.name}"

    @property
    def orderer(self) -> str:
        """Name of its orderer."""
        return f"orderer0.{self.name}"

    @property
    def ca(self) -> str:
        """Name of its CA server."""
        return f"ca.{self.name}"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: organizations with a peer on it, and those whose orderers agree on its blocks."""

    name: str
    chaincode: str
    members: tuple[Org, ...]
    consenters: tuple[Org, ...]
    institution: Org | None


@dataclass(frozen=True, slots=True)
class Governance:
    """Who endorses and who administers, on every channel."""

    endorsers: tuple[Org, ...]
    endorsements: int
    administrator: Org
    co_administrators: tuple[Org, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole network. Made by `parse`, so every name in it refers to something."""

    port_base: int
    port_stride: int
    governance: Governance
    orgs: tuple[Org, ...]
    channels: tuple[Channel, ...]
    chaincodes: tuple[str, ...]

    def org(self, name: str) -> Org:
        """Return the organization by table name or MSP id; raise `TopologyError` if there is none."""
        for org in self.orgs:
            if name in (org.name, org.msp):
                return org
        known = ", ".join(org.name for org in self.orgs)
        raise TopologyError(f"no organization is called {name!r}; there are {known}")

    def channel(self, name: str) -> Channel:
        """Return the channel of that name; raise `TopologyError` if there is none."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise TopologyError(f"no channel is called {name!r}")

    def channels_of(self, org: Org) -> tuple[Channel, ...]:
        """Return the channels that the organization's peer has joined."""
        return tuple(c for c in self.channels if org in c.members)

    def channels_ordered_by(self, org: Org) -> tuple[Channel, ...]:
        """Return the channels that the organization's orderer has joined."""
        return tuple(c for c in self.channels if org in c.consenters)

    def endorsers_of(self, channel: Channel) -> tuple[Org, ...]:
        """Return the channel's members that endorse, in table order."""
        return tuple(org for org in channel.members if org in self.governance.endorsers)

    def chaincodes_of(self, org: Org) -> tuple[str, ...]:
        """Return the chaincodes that run beside the organization's peer."""
        wanted = {c.chaincode for c in self.channels if org in self.endorsers_of(c)}
        return tuple(name for name in self.chaincodes if name in wanted)


def load(path: Path) -> Topology:
    """Read and parse a table; raise `TopologyError` naming the file and the fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TopologyError(f"cannot read the network table {path}: {error}") from error
    try:
        return parse(text)
    except TopologyError as error:
        raise TopologyError(f"{path}: {error.message}") from error


def parse(text: str) -> Topology:
    """Parse a table in TOML; raise `TopologyError` for anything that is not understood."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TopologyError(f"not TOML: {error}") from error
    root = Fields(table, "the table")
    if root.integer("version", 1, 1) != 1:
        raise TopologyError("only version 1 is understood")
    port_base = root.integer("port_base", 1024, 60000)
    port_stride = root.integer("port_stride", 100, 1000)
    orgs = tuple(_org(Fields(entry, "an organization")) for entry in root.tables("orgs"))
    for attribute in ("name", "msp", "slot"):
        _unique([getattr(org, attribute) for org in orgs], f"organizations' {attribute}")
    chaincodes = tuple(_chaincode(Fields(entry, "a chaincode")) for entry in root.tables("chaincodes"))
    _unique(list(chaincodes), "chaincodes' name")
    if len(chaincodes) > _MAX_CHAINCODES:
        raise TopologyError(f"at most {_MAX_CHAINCODES} chaincodes have ports")
    governance = _governance(Fields(root.table("governance"), "governance"), orgs)
    channels = tuple(
        _channel(Fields(entry, "a channel"), orgs, chaincodes, governance)
        for entry in root.tables("channels")
    )
    _unique([channel.name for channel in channels], "channels' name")
    root.done()
    topology = Topology(port_base, port_stride, governance, orgs, channels, chaincodes)
    require_room(topology, port_base)
    return topology


def require_room(topology: Topology, base: int) -> None:
    """Raise `TopologyError` unless every slot has valid, unprivileged ports above the base."""
    last = base + (1 + max(org.slot for org in topology.orgs)) * topology.port_stride
    if base < _FIRST_PORT or last > _PORTS:
        raise TopologyError(f"port base {base} does not keep every port between {_FIRST_PORT} and {_PORTS}")


def _org(fields: Fields) -> Org:
    org = Org(
        name=fields.string("name", _NAME),
        title=fields.string("title"),
        msp=fields.string("msp", _MSP),
        slot=fields.integer("slot", 0, 200),
        roles=fields.strings("roles"),
        lender_ca=fields.boolean("lender_ca"),
    )
    for role in org.roles:
        if not _NAME.fullmatch(role) or role == "admin":
            raise TopologyError(f"{org.name}: {role!r} cannot be a role")
    fields.done()
    return org


def _chaincode(fields: Fields) -> str:
    name = fields.string("name", _NAME)
    fields.done()
    return name


def _governance(fields: Fields, orgs: Sequence[Org]) -> Governance:
    endorsers = _orgs(fields.strings("endorsers"), orgs, "endorsers")
    administrator = _orgs((fields.string("administrator"),), orgs, "administrator")[0]
    governance = Governance(
        endorsers=endorsers,
        endorsements=fields.integer("endorsements", 1, len(endorsers)),
        administrator=administrator,
        co_administrators=_orgs(fields.strings("co_administrators"), orgs, "co_administrators"),
    )
    if administrator in governance.co_administrators:
        raise TopologyError(f"{administrator.name} is administrator and cannot also confirm itself")
    fields.done()
    return governance


def _channel(
    fields: Fields, orgs: Sequence[Org], chaincodes: Sequence[str], governance: Governance
) -> Channel:
    name = fields.string("name", _CHANNEL)
    institution = fields.optional_string("institution")
    channel = Channel(
        name=name,
        chaincode=fields.string("chaincode"),
        members=_orgs(fields.strings("members"), orgs, f"{name}: members"),
        consenters=_orgs(fields.strings("consenters"), orgs, f"{name}: consenters"),
        institution=None if institution is None else _orgs((institution,), orgs, f"{name}: institution")[0],
    )
    fields.done()
    if channel.chaincode not in chaincodes:
        raise TopologyError(f"channel {name} names chaincode {channel.chaincode!r}, which is not listed")
    if len(channel.consenters) < _BFT_MINIMUM:
        raise TopologyError(
            f"channel {name} has {len(channel.consenters)} consenters; BFT needs {_BFT_MINIMUM}"
        )
    if channel.institution is not None and channel.institution not in channel.members:
        raise TopologyError(f"channel {name} is {institution}'s, who is no member of it")
    if missing := [org.name for org in governance.endorsers if org not in channel.members]:
        raise TopologyError(f"channel {name} lacks its endorser {missing[0]} as a member")
    if governance.administrator not in channel.members:
        raise TopologyError(f"channel {name} lacks the administrator {governance.administrator.name}")
    if not set(governance.co_administrators) <= set(channel.members):
        raise TopologyError(f"channel {name} lacks one of the co-administrators as a member")
    return channel


def _orgs(names: Sequence[str], orgs: Sequence[Org], where: str) -> tuple[Org, ...]:
    by_name = {org.name: org for org in orgs}
    if not names:
        raise TopologyError(f"{where}: nobody is named")
    _unique(list(names), where)
    for name in names:
        if name not in by_name:
            raise TopologyError(f"{where}: no organization is called {name!r}")
    return tuple(by_name[name] for name in names)


def _unique(values: Sequence[object], what: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise TopologyError(f"{what}: {value!r} appears twice")
