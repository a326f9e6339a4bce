"""How clients know a network: `<home>/network/connection.json`, parsed once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from client.gateway import Gateway, Identity

_VERSION = 1
_HASH = 32  # bytes of a SHA-256


class NoNetwork(UserError):  # noqa: N818  a condition, named as one
    """No network is running in this home."""


class ProfileError(UserError):
    """The connection profile cannot be understood, or does not hold what is asked for."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: `address` is host:port, `tls_root` a PEM file."""

    name: str
    address: str
    tls_root: Path


@dataclass(frozen=True, slots=True)
class Orderer:
    """An orderer: `address` takes transactions, `admin` administers (both host:port)."""

    name: str
    address: str
    admin: str
    tls_root: Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client's certificate and PKCS #8 key, both PEM files."""

    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """An organization's CA server: `names` are its CAs by purpose (identity, tls, lender)."""

    url: str
    tls_root: Path
    names: Mapping[str, str]
    registrar: str
    registrar_secret_file: Path


@dataclass(frozen=True, slots=True)
class Org:
    """One organization as clients see it. `roots` are its CAs' root certificates by purpose."""

    msp: str
    name: str
    peers: tuple[Peer, ...]
    orderers: tuple[Orderer, ...]
    ca: Authority
    roots: Mapping[str, Path]
    identities: Mapping[str, Credentials]

    def identity(self, role: str) -> Credentials:
        """Return the credentials of one role (admin, officer, …); raise `ProfileError` if there are none."""
        if role not in self.identities:
            held = ", ".join(self.identities)
            raise ProfileError(f"{self.name} has no {role} among its identities ({held})")
        return self.identities[role]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: `genesis` is the SHA-256 of block 0's header in hex, `institution` an MSP id or None."""

    name: str
    genesis: str
    orgs: tuple[str, ...]
    chaincode: str
    institution: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A running network. Made by `load`."""

    channels: Mapping[str, Channel]
    orgs: Mapping[str, Org]

    @classmethod
    def load(cls, home: Path) -> Profile:
        """Read the profile of the network that runs in this home.

        Raises `NoNetwork` when there is none, `ProfileError` when it is damaged.
        """
        root = home / "network"
        path = root / "connection.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["v"] != _VERSION:
                raise ProfileError(f"{path} has version {content['v']!r}; run `concordat network up` again")
            channels = {name: _channel(name, entry) for name, entry in content["channels"].items()}
            orgs = {msp: _org(msp, entry, root) for msp, entry in content["orgs"].items()}
        except FileNotFoundError as error:
            raise NoNetwork(f"no network is running in {home}; run `concordat network up`") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProfileError(f"{path} is damaged ({error!r}); run `concordat network up` again") from error
        return cls(channels, orgs)

    def org(self, msp: str) -> Org:
        """Return the organization with that MSP id, or raise `ProfileError`."""
        if msp not in self.orgs:
            raise ProfileError(f"the network has no organization {msp}; it has {', '.join(self.orgs)}")
        return self.orgs[msp]

    def channel(self, name: str) -> Channel:
        """Return the channel of that name, or raise `ProfileError`."""
        if name not in self.channels:
            raise ProfileError(f"the network has no channel {name}; it has {', '.join(self.channels)}")
        return self.channels[name]

    def peers(self) -> tuple[Peer, ...]:
        """Return all peers of all organizations."""
        return tuple(peer for org in self.orgs.values() for peer in org.peers)

    def arbitration_channel(self, institution_msp: str) -> Channel:
        """Return the channel on which an institution's meetings are held, or raise `ProfileError`."""
        for channel in self.channels.values():
            if channel.institution == institution_msp:
                return channel
        raise ProfileError(f"the network has no arbitration channel of {institution_msp}")

    def signer(self, msp: str, role: str) -> tuple[Identity, Callable[[bytes], bytes]]:
        """Return who a role is and how it signs, as `client.gateway` takes them."""
        from client.gateway import Identity, ecdsa_signer  # noqa: PLC0415  only who connects pays for gRPC

        credentials = self.org(msp).identity(role)
        identity = Identity(msp, credentials.cert.read_bytes())
        return identity, ecdsa_signer(credentials.key.read_bytes())

    def gateway(
        self,
        msp: str,
        role: str,
        via: str | None = None,
        *,
        evaluate_timeout: float | None = 30,
        endorse_timeout: float | None = 30,
        submit_timeout: float | None = 30,
        commit_status_timeout: float | None = 60,
    ) -> Gateway:
        """Connect as a role of one organization, through a peer of `via` (an MSP id; default: its own).

        Timeouts are in seconds, None waits without end. Closing the gateway closes its connection.
        """
        from client.gateway import connect, grpc_channel  # noqa: PLC0415

        identity, sign = self.signer(msp, role)
        peer = self.org(via or msp).peers[0]
        channel = grpc_channel(peer.address, peer.tls_root.read_bytes())
        return connect(
            channel,
            identity,
            sign,
            evaluate_timeout=evaluate_timeout,
            endorse_timeout=endorse_timeout,
            submit_timeout=submit_timeout,
            commit_status_timeout=commit_status_timeout,
            close_channel=True,
        )


def _channel(name: str, entry: Mapping[str, Any]) -> Channel:
    if len(bytes.fromhex(entry["genesis"])) != _HASH:
        raise ValueError(f"the genesis hash of {name} is no SHA-256")
    return Channel(name, entry["genesis"], tuple(entry["orgs"]), entry["chaincode"], entry.get("institution"))


def _org(msp: str, entry: Mapping[str, Any], root: Path) -> Org:
    ca = entry["ca"]
    return Org(
        msp=msp,
        name=entry["name"],
        peers=tuple(Peer(p["name"], p["address"], root / p["tls_root"]) for p in entry["peers"]),
        orderers=tuple(
            Orderer(o["name"], o["address"], o["admin"], root / o["tls_root"]) for o in entry["orderers"]
        ),
        ca=Authority(
            url=ca["url"],
            tls_root=root / ca["tls_root"],
            names=dict(ca["names"]),
            registrar=ca["registrar"]["name"],
            registrar_secret_file=root / ca["registrar"]["secret_file"],
        ),
        roots={purpose: root / path for purpose, path in entry["roots"].items()},
        identities={
            role: Credentials(root / pair["cert"], root / pair["key"])
            for role, pair in entry["identities"].items()
        },
    )
