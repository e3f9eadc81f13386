"""Where a request comes from, as far as it can be believed."""

from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

Address: TypeAlias = IPv4Address | IPv6Address

# Whoever has one IPv6 address has the 2^64 of its network: they count as one.
IPV6_NETWORK = 64


def client_address(request: HttpRequest | Request) -> str:
    """Return the address of the client, or of whoever spoke to us last that can be believed.

    Only a proxy of settings.TRUSTED_PROXIES (addresses or networks) is asked whom it speaks for,
    and only the last entry of its X-Forwarded-For, which it wrote itself: those before it are the
    client's own claims.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if _is_trusted(peer, tuple(settings.TRUSTED_PROXIES)):
        claimed = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]
        if address := _parsed(claimed):
            return str(address)
    return str(_parsed(peer) or "")


def network_of(address: str) -> str:
    """Return what an address counts as: itself, or its network of 64 bits if it is IPv6."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_NETWORK), strict=False))
    return str(parsed or "")


def _is_trusted(peer: str, proxies: tuple[str, ...]) -> bool:
    address = _parsed(peer)
    return any(address in network for network in _networks(proxies)) if address else False


@cache
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
