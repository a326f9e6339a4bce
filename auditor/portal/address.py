"""Whose request it is: an address's network, or that of the client which a trusted proxy names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

IpNetwork = IPv4Network | IPv6Network
_HOLDING: Final = 64
"""Bits of an IPv6 address that its holder is given, and can't change at will as they can the rest."""


def parse_proxy(text: str) -> IpNetwork:
    """Return the address or network (CIDR) of a trusted proxy; raise ValueError."""
    return ip_network(text)


def client_of(remote: str, forwarded: Sequence[str], proxies: Sequence[IpNetwork]) -> str:
    """Return the network to count a request for: an IPv4 address, or 64 bits of an IPv6 address.

    `forwarded` are the values of X-Forwarded-For. They are believed as far as trusted proxies wrote
    them: from the right, up to the first address that is none of theirs. What is no address ends it there.
    """
    hops = [hop.strip() for value in forwarded for hop in value.split(",")]
    address = _parse(remote)
    while address is not None and hops and any(address in one for one in proxies):
        before = _parse(hops.pop())
        if before is None:
            break
        address = before
    if address is None:
        return remote
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _HOLDING), strict=False))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
