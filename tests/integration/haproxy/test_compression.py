"""What is compressed on its way out, and whose ETag stays strong."""

import gzip

import httpx
import pytest

from tests.edge import App, Edge

LARGE = b'{"results": [' + b'"The Waves", ' * 400 + b'"end"]}'
ETAG = {"ETag": '"5f3a"'}
TOKEN = {"Authorization": "Bearer x"}


@pytest.fixture(autouse=True)
def large(apps: list[App]) -> None:
    for app in apps:
        app.body = LARGE
        app.headers |= ETAG


def asked_for(
    edge: Edge, path: str, *, coding: str = "gzip", **headers: str
) -> tuple[httpx.Response, bytes]:
    """Return the answer and its bytes as they came."""
    headers |= {"Accept-Encoding": coding}
    with httpx.stream("GET", f"{edge.url}{path}", headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/html; charset=utf-8",
        'text/javascript; charset="utf-8"',
        "text/css",
        "image/svg+xml",
        "application/vnd.oai.openapi+json",
    ],
)
def test_what_everybody_may_read_is_compressed(edge: Edge, apps: list[App], kind: str) -> None:
    for app in apps:
        app.headers["Content-Type"] = kind
    answer, body = asked_for(edge, "/api/schema/")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["Vary"].lower()
    assert answer.headers["ETag"] == 'W/"5f3a"'
    assert gzip.decompress(body) == LARGE
    assert len(body) < len(LARGE) / 4


def test_the_cached_catalog_is_compressed_for_whoever_can_read_it(
    edge: Edge, apps: list[App]
) -> None:
    for app in apps:
        app.headers["Cache-Control"] = "public, s-maxage=5"
    codings = ("identity", "gzip", "identity")
    plain, packed, again = (asked_for(edge, "/api/products/", coding=each) for each in codings)
    assert plain[1] == again[1] == gzip.decompress(packed[1]) == LARGE
    assert "Content-Encoding" not in again[0].headers
    assert sum(len(app.asked) for app in apps) <= 2


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_what_is_packed_already_is_not_packed_again(edge: Edge, apps: list[App], kind: str) -> None:
    for app in apps:
        app.headers["Content-Type"] = kind
    answer, body = asked_for(edge, "/static/x")
    assert "Content-Encoding" not in answer.headers
    assert (answer.headers["ETag"], body) == ('"5f3a"', LARGE)


@pytest.mark.parametrize("path", ["/api/cart/", "/api/orders/7/", "/api/products/1/"])
def test_what_an_update_may_be_held_against_keeps_its_strong_etag(edge: Edge, path: str) -> None:
    answer, body = asked_for(edge, path, **TOKEN)
    assert "Content-Encoding" not in answer.headers
    assert (answer.headers["ETag"], body) == ('"5f3a"', LARGE)


@pytest.mark.parametrize("path", ["/api/payments/", "/api/staff/webhooks/4/deliveries/"])
def test_ones_own_lists_are_compressed(edge: Edge, path: str) -> None:
    assert asked_for(edge, path, **TOKEN)[0].headers["Content-Encoding"] == "gzip"


def test_an_answer_with_tokens_in_it_is_not(edge: Edge) -> None:
    answer = httpx.post(f"{edge.url}/api/auth/login/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
