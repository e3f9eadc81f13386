"""A client is believed to come from where we were spoken to from, or where our proxy says."""

from typing import Any

import pytest
from django.test import RequestFactory

from shop.core.addresses import client_address, network_of


def address(peer: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.fixture(autouse=True)
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.1.0.0/16"]


@pytest.mark.parametrize("proxy", ["127.0.0.1", "10.1.2.3", "::ffff:127.0.0.1"])
def test_our_proxy_says_whom_it_speaks_for(proxy: str) -> None:
    assert address(proxy, "192.0.2.7") == "192.0.2.7"


def test_only_the_entry_that_our_proxy_wrote_is_believed() -> None:
    assert address("127.0.0.1", "198.51.100.1, 203.0.113.9, 192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.2.0.1", "::1"])
def test_nobody_else_is_asked_whom_they_speak_for(peer: str) -> None:
    assert address(peer, "198.51.100.1") == peer


@pytest.mark.parametrize("forwarded", [None, "", "unknown", "192.0.2.7,", "192.0.2.7:80"])
def test_a_proxy_that_says_nothing_sensible_stands_for_itself(forwarded: str | None) -> None:
    assert address("127.0.0.1", forwarded) == "127.0.0.1"


def test_a_peer_on_a_unix_socket_has_no_address() -> None:
    assert address("", "192.0.2.7") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8:0:0:0:0:0:1"),
    ],
)
def test_addresses_that_one_client_can_choose_from_count_as_one(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("192.0.2.7", "192.0.2.8")]
)
def test_addresses_of_different_networks_count_each(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)
