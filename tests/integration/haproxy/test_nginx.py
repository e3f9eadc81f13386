"""nginx in HAProxy's place: what it passes on, keeps, repeats and refuses."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.edge import App, Edge, nginx, wait_until
from tests.integration.haproxy.conftest import asked
from tests.integration.haproxy.test_limits import HARMLESS

pytestmark = pytest.mark.native("starts nginx")

OFFERED = {"Cache-Control": "public, max-age=0, s-maxage=60", "Vary": "Authorization, Origin"}


@pytest.fixture
def front(apps: list[App]) -> Iterator[Edge]:
    with nginx([app.address for app in apps]) as running:
        yield running


def assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert {name: answer.headers.get(name) for name in HARMLESS} == HARMLESS


def test_the_app_learns_address_and_id_from_nginx_alone(front: Edge, apps: list[App]) -> None:
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Forwarded": "for=x"}
    claims |= {"X-Forwarded-Ssl": "on", "X-Forwarded-Host": "evil.example", "SCRIPT_NAME": "/x"}
    for given in ("Order-7", "no id"):
        answer = httpx.get(f"{front.url}/api/cart/", headers=claims | {"X-Request-ID": given})
        [seen] = [one.headers for app in apps for one in app.asked]
        assert seen["x-forwarded-for"] == ["127.0.0.1"]
        assert seen["x-forwarded-proto"] == ["http"]
        assert {n for n in seen if "forwarded" in n} == {"x-forwarded-for", "x-forwarded-proto"}
        assert not any("_" in name for name in seen)
        assert seen["x-request-id"] == [answer.headers["X-Request-ID"]]
        assert (seen["x-request-id"] == [given]) == (given == "Order-7")
        for app in apps:
            app.asked.clear()


def test_the_anonymous_catalog_is_kept_and_nothing_else(front: Edge, apps: list[App]) -> None:
    for app in apps:
        app.headers |= OFFERED
    for path, headers, requests in (
        ("/api/products/", {}, 1),
        ("/api/products/", {"Authorization": "Bearer x"}, 3),
        ("/api/products/", {"Origin": "https://x.test"}, 3),
        ("/api/products/7/stock/", {}, 3),
        ("/api/cart/", {}, 3),
    ):
        answers = {httpx.get(f"{front.url}{path}", headers=headers).text for _ in range(3)}
        assert len(asked(apps)) == requests, path
        assert len(answers) == requests
        for app in apps:
            app.asked.clear()


def test_what_the_app_does_not_offer_is_not_kept(front: Edge, apps: list[App]) -> None:
    for app in apps:
        app.headers["Cache-Control"] = "no-store, private"
    for _ in range(3):
        httpx.get(f"{front.url}/api/products/")
    assert len(asked(apps)) == 3


def test_reading_is_repeated_when_a_server_dies_over_it_and_writing_is_not(
    front: Edge, apps: list[App]
) -> None:
    answer = httpx.post(f"{front.url}/api/gone/", json={})
    assert_problem(answer, 502)
    assert answer.headers["Retry-After"] == "1"
    assert len(asked(apps)) == 1
    time.sleep(2.2)  # longer than a server that failed is left out: nginx counts whole seconds
    httpx.get(f"{front.url}/api/gone/")
    assert len(asked(apps)) == 3


def test_who_asks_too_much_is_told_so(apps: list[App]) -> None:
    with (
        nginx([app.address for app in apps], RATE_PER_SECOND="1", RATE_BURST="4") as front,
        httpx.Client(base_url=front.url) as client,
    ):
        answers = [client.get("/api/cart/") for _ in range(50)]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert_problem(refused, 429)
    assert refused.headers["Retry-After"] == "10"


def test_what_is_too_much_at_once_is_refused(apps: list[App]) -> None:
    with (
        nginx([app.address for app in apps], MOST_AT_ONCE="2") as front,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        held = [pool.submit(httpx.get, f"{front.url}/api/held/", timeout=30) for _ in range(2)]
        wait_until(lambda: len(asked(apps)) == 2, front.log)
        refused = httpx.get(f"{front.url}/api/cart/")
        assert_problem(refused, 503)
        assert refused.headers["Retry-After"] == "2"
        for app in apps:
            app.release.set()
        assert [future.result().status_code for future in held] == [200, 200]


@pytest.mark.parametrize("path", ["/metrics", "/%6detrics", "//metrics", "/METRICS"])
def test_the_apps_own_figures_are_not_for_the_public(
    front: Edge, apps: list[App], path: str
) -> None:
    with httpx.Client(base_url=front.url) as client:
        answer = client.send(client.build_request("GET", "/", extensions={"target": path.encode()}))
    assert_problem(answer, 404)
    assert asked(apps) == []
