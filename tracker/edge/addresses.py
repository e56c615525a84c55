"""Where a request comes from: the peer, or whoever a trusted proxy says it speaks for.

Only ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are read: every proxy can set them, and RFC 7239's ``Forwarded`` as a
second voice could contradict them. From a peer that is not trusted they are what any client can write, and say nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    Address = IPv4Address | IPv6Address

MAX_HOPS = 16
_REMEMBERED = 4096
_WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5}", re.ASCII)
_HOUSEHOLD = 64  # bits: what one customer of a provider gets of IPv6, at the least; addresses in it are free


class Origin(NamedTuple):
    """An address in its canonical form, empty where there is none, and whether the request came by TLS."""

    address: str
    secure: bool


class Proxies:
    """The proxies whose word is taken."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Take addresses and networks such as ``10.0.0.0/8``."""
        self._networks = tuple(ip_network(network) for network in trusted)
        self._trusts = lru_cache(_REMEMBERED)(self._contain)

    def origin(self, scope: dict[str, Any]) -> Origin:
        """Return where an ASGI request comes from."""
        client: str = (scope.get("client") or ("",))[0]
        peer = parsed(client) if self._networks else None
        if peer is None or not self._trusts(peer):
            return _of_peer(client)
        secure = _values(scope, b"x-forwarded-proto").lower() == b"https"
        return Origin(str(self._farthest(peer, _values(scope, b"x-forwarded-for"))), secure)

    def _farthest(self, peer: Address, forwarded: bytes) -> Address:
        """Return the right-most address that is no proxy's: what stands left of it, its owner may have written."""
        address = peer
        for hop in reversed(forwarded.decode("latin-1").split(",")[-MAX_HOPS:]):
            named = parsed(hop)
            if named is None:
                return peer
            address = named
            if not self._trusts(address):
                break
        return address

    def _contain(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _values(scope: dict[str, Any], header: bytes) -> bytes:
    """Return all that a header says: one sent twice is one list, in the order of its lines."""
    return b",".join(value for name, value in scope["headers"] if name.lower() == header)


@lru_cache(_REMEMBERED)
def _of_peer(client: str) -> Origin:
    """Return where a request comes from that nobody else speaks for; a Unix socket has no address."""
    peer = parsed(client)
    return Origin("" if peer is None else str(peer), secure=False)


@lru_cache(_REMEMBERED)
def parsed(text: str) -> Address | None:
    """Return an address, written with or without a port; None where it is none. IPv4 inside IPv6 is IPv4."""
    text = text.strip(" \t")
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(_REMEMBERED)
def neighbourhood(address: str) -> str:
    """Return what counts as one caller: an IPv4 address by itself, an IPv6 address with the 2^64 beside it."""
    parts = parsed(address)
    return str(IPv6Network((int(parts), _HOUSEHOLD), strict=False)) if isinstance(parts, IPv6Address) else address
