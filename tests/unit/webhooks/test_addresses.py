"""No endpoint leads into our own network."""

import socket
from typing import Any

import pytest

from shop.webhooks.addresses import check, resolve
from shop.webhooks.errors import UnsafeAddress


@pytest.mark.parametrize(
    "url",
    [
        "https://merchant.example/events",
        "https://merchant.example:8443/events?x=1",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "http://127.0.0.1:9000/",
        "http://localhost:9000/",
        "http://[::1]:9000/",
        "https://localhost/",
    ],
)
def test_public_addresses_and_in_development_this_machine_are_good(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://merchant.example/",
        "http://93.184.216.34/",
        "https://10.0.0.5/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[::]/",
        "https://[::ffff:10.0.0.5]/",
        "https://[64:ff9b::a00:5]/",
        "https://[2002:a00:5::]/",
        "https://[fec0::1]/",
        "https://[::7f00:1]/",
        "https://[::a00:5]/",
        "https://[64:ff9b:1::a00:5]/",
        "https://[2001:0:a00:5::]/",
        "https://[100::1]/",
        "https://[5f00::1]/",
        "https://[ff0e::1]/",
        "https://167772165/",
        "https://0x0a000005/",
        "https://012.0.0.5/",
        "https://10.5/",
        "ftp://merchant.example/",
        "file:///etc/passwd",
        "merchant.example",
        "https://",
        "https:///path",
        "https://ana:secret@merchant.example/",
        "https://merchant.example/#there",
        "https://a..b/",
        "https://.merchant.example/",
        f"https://{'a' * 64}.example/",
        "https://merchant.example:99999/",
        "https://merchant.example\\@10.0.0.5/",
        "https://merchant.example/a b",
        "https://merchant.example/\r\nX: y",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(UnsafeAddress):
        check(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://localhost/", "https://[::1]/"])
def test_in_production_this_machine_is_as_private_as_any(settings: Any, url: str) -> None:
    settings.WEBHOOKS_TO_LOOPBACK = False
    with pytest.raises(UnsafeAddress):
        check(url)


def _name_has(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look_up(host: str, port: int, *_: Any, flags: int = 0, **__: Any) -> list[Any]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_name_is_sent_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    _name_has(monkeypatch, "93.184.216.34")
    place = resolve("https://merchant.example/events")
    assert place == ("https", "merchant.example", 443, "93.184.216.34")


@pytest.mark.parametrize("addresses", [("10.0.0.5",), ("93.184.216.34", "10.0.0.5")])
def test_a_name_that_leads_inside_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    _name_has(monkeypatch, *addresses)
    with pytest.raises(UnsafeAddress):
        resolve("https://merchant.example/")


def test_a_name_that_leads_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> None:
        raise socket.gaierror("not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(UnsafeAddress, match="cannot be looked up"):
        resolve("https://merchant.example/")
