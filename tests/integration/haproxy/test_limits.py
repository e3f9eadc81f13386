"""Who asks too much is told so, and too much at once is refused before it piles up."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.edge import CONFIGURATION, App, wait_until
from tests.integration.haproxy.conftest import StartEdge

HARMLESS = {
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    """A problem as the app makes them, with the headers that every answer has."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert {name: answer.headers.get(name) for name in HARMLESS} == HARMLESS


def test_an_address_that_asks_too_much_is_told_when_to_come_back(
    start_edge: StartEdge, apps: list[App]
) -> None:
    edge = start_edge(RATE_LIMIT="5")
    with httpx.Client(base_url=edge.url) as client:
        answers = [client.get("/api/cart/") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert_problem(answers[-1], 429, "throttled")
    assert answers[-1].headers["Retry-After"] == "10"
    assert sum(len(app.asked) for app in apps) == 5


def test_production_has_the_limits_for_the_public_unless_it_is_told_others(
    start_edge: StartEdge,
) -> None:
    edge = start_edge(ENVIRONMENT="production", RATE_LIMIT="230")
    with httpx.Client(base_url=edge.url) as client:
        statuses = [client.get("/api/cart/").status_code for _ in range(240)]
    assert statuses.count(429) == 10
    edge = start_edge(ENVIRONMENT="production")
    with httpx.Client(base_url=edge.url) as client:
        statuses = [client.get("/api/cart/").status_code for _ in range(210)]
    assert statuses.count(429) == 10


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (414, 414, "uri_too_long"),
        (431, 431, "headers_too_large"),
        (400, 400, "bad_request"),
        (417, 400, "bad_request"),
        (501, 500, "internal_error"),
    ],
)
def test_what_gunicorn_refuses_by_itself_is_a_problem_with_the_requests_id(
    start_edge: StartEdge, apps: list[App], status: int, told: int, code: str
) -> None:
    for app in apps:
        app.status, app.body = status, b"<html><body><h1>Refused</h1></body></html>"
        app.headers["Content-Type"] = "text/html"
    assert_problem(httpx.get(f"{start_edge().url}/api/cart/"), told, code)


def test_a_page_of_the_app_that_says_no_is_left_as_it_is(
    start_edge: StartEdge, apps: list[App]
) -> None:
    for app in apps:
        app.status, app.body = 403, b"<p>Not for you.</p>"
        app.headers |= {"Content-Type": "text/html", "X-Request-ID": "one"}
    answer = httpx.get(f"{start_edge().url}/shards/")
    assert (answer.status_code, answer.content) == (403, b"<p>Not for you.</p>")


def test_answers_from_the_cache_count_as_well(start_edge: StartEdge, apps: list[App]) -> None:
    edge = start_edge(RATE_LIMIT="5")
    for app in apps:
        app.headers["Cache-Control"] = "public, s-maxage=5"
    with httpx.Client(base_url=edge.url) as client:
        statuses = [client.get("/api/products/").status_code for _ in range(8)]
    assert statuses == [200] * 5 + [429] * 3


def test_an_address_has_only_so_many_connections(start_edge: StartEdge) -> None:
    edge = start_edge(CONNECTION_LIMIT="3")
    clients = [httpx.Client(base_url=edge.url) for _ in range(4)]
    statuses = [client.get("/api/cart/").status_code for client in clients]
    assert statuses == [200, 200, 200, 429]
    clients.pop().close()
    clients.pop().close()
    wait_until(lambda: httpx.get(f"{edge.url}/api/cart/").status_code == 200, edge.log)
    for client in clients:
        client.close()


def test_what_is_too_much_at_once_is_refused_at_once_and_the_rest_is_answered(
    start_edge: StartEdge, apps: list[App]
) -> None:
    edge = start_edge(SERVER_MAXCONN="2", QUEUE_LIMIT="3")
    with ThreadPoolExecutor(max_workers=20) as pool:
        # Four are at work, three wait; then there is no room.
        accepted = [pool.submit(httpx.get, f"{edge.url}/api/held/", timeout=30) for _ in range(7)]
        wait_until(lambda: _at_work_and_waiting(edge.ask) == 7, edge.log)
        refused = list(pool.map(lambda _: httpx.get(f"{edge.url}/api/held/"), range(5)))
        assert not any(future.done() for future in accepted)
        for app in apps:
            app.release.set()
        statuses = [future.result().status_code for future in accepted]
    assert statuses == [200] * 7
    for answer in refused:
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "2"


def test_what_the_cache_knows_is_answered_while_the_app_is_saturated(
    start_edge: StartEdge, apps: list[App]
) -> None:
    edge = start_edge(SERVER_MAXCONN="1", QUEUE_LIMIT="1")
    for app in apps:
        app.headers["Cache-Control"] = "public, s-maxage=5"
    with ThreadPoolExecutor(max_workers=3) as pool, httpx.Client(base_url=edge.url) as client:
        for _ in range(20):  # until all of it fits into one second of the cache's clock
            for app in apps:
                app.release.clear()
            time.sleep(1 - time.time() % 1)
            second = int(time.time())
            kept = client.get("/api/products/")
            held = [pool.submit(httpx.get, f"{edge.url}/api/held/", timeout=30) for _ in range(3)]
            wait_until(lambda: _at_work_and_waiting(edge.ask) == 3, edge.log)
            again, refused = client.get("/api/products/"), client.get("/api/cart/")
            in_time = int(time.time()) == second
            for app in apps:
                app.release.set()
            assert [future.result().status_code for future in held] == [200] * 3
            if in_time:
                break
    assert in_time, "this machine is too slow"
    assert (again.text, refused.status_code) == (kept.text, 503)


@pytest.mark.native("starts HAProxy")
@pytest.mark.parametrize("variable", ["RATE_LIMIT", "QUEUE_LIMIT", "BALANCE"])
def test_haproxy_itself_refuses_a_value_that_is_none(variable: str) -> None:
    done = subprocess.run(
        ["haproxy", "-c", "-f", str(CONFIGURATION)],
        env={"PATH": "/usr/sbin:/usr/bin", variable: "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "ALERT" in done.stderr


def _at_work_and_waiting(ask: object) -> int:
    assert callable(ask)
    rows = [line.split(",") for line in str(ask("show stat app 2 -1")).splitlines()]
    head, backend = rows[0], rows[1]
    values = dict(zip(head, backend, strict=False))
    return int(values["scur"])


def test_the_error_files_are_json() -> None:
    for path in (CONFIGURATION.parent / "errors").glob("*.json"):
        assert json.loads(path.read_text())["request_id"] == "%[var(txn.request_id)]"
