"""Which addresses may be told, so that no endpoint makes this server ask its own network.

Invariant: what is connected to is the very address that was checked. A name is looked up once per
attempt; every address it has must be public, so that none of its own choosing slips in between.
"""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from django.conf import settings

from shop.webhooks.errors import UnsafeAddress

Address: TypeAlias = IPv4Address | IPv6Address

LOCAL_NAMES = ("localhost", "localhost.")
PORTS = {"https": 443, "http": 80}
# What IANA gives out of IPv6. Outside of it lie local addresses of several kinds and times, and
# those that stand for IPv4 ones: a translator may lead inside. So may one of 6to4's (2002::/16).
GLOBAL_UNICAST, SIX_TO_FOUR = ip_network("2000::/3"), ip_network("2002::/16")
PRINTABLE = re.compile(r"[!-~]+")


class Place(NamedTuple):
    """Where a URL leads: `address` is connected to, `host` is whom we say we mean."""

    scheme: str
    host: str
    port: int
    address: str


def check(url: str) -> None:
    """Refuse a URL that can never be sent to. Names are not looked up yet.

    Raises:
        UnsafeAddress
    """
    scheme, host, port = _parts(url)
    if numeric := _numeric(host, port):
        _require(scheme, numeric)
    elif host in LOCAL_NAMES:
        _require(scheme, [ip_address("127.0.0.1")])
    elif scheme != "https":
        raise UnsafeAddress("Use https: what is sent must be encrypted.")


def resolve(url: str) -> Place:
    """Look up where a URL leads right now.

    Raises:
        UnsafeAddress: one of its addresses may not be sent to, or it has none.
    """
    check(url)
    scheme, host, port = _parts(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnsafeAddress(f"{host} cannot be looked up: {error}.") from None
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    _require(scheme, addresses)
    return Place(scheme, host, port, str(addresses[0]))


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise UnsafeAddress("This is not a URL.") from None
    if not PRINTABLE.fullmatch(url) or "\\" in url or parts.scheme not in PORTS:
        raise UnsafeAddress("Give a URL that begins with https://.")
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise UnsafeAddress("Give a URL with a host, and without a user or a fragment.")
    return parts.scheme, parts.hostname, port


def _numeric(host: str, port: int) -> list[Address]:
    """Return the address that a host spells out, in any of the ways that a resolver knows."""
    try:
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    except UnicodeError:  # an empty label, or one that is too long
        raise UnsafeAddress("This host has no name that could be looked up.") from None
    except OSError:
        return []
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _require(scheme: str, addresses: list[Address]) -> None:
    for address in addresses:
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_loopback and settings.WEBHOOKS_TO_LOOPBACK:
            continue
        if not _is_public(plain):
            raise UnsafeAddress("This address is not a public one.")
        if scheme != "https":
            raise UnsafeAddress("Use https: what is sent must be encrypted.")


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (
        address not in GLOBAL_UNICAST or address in SIX_TO_FOUR
    ):
        return False
    return address.is_global and not address.is_multicast
