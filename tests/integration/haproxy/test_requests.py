"""What HAProxy passes on, repeats, refuses and writes down."""

import http.client
import re
import secrets

import httpx
import pytest
import yaml

from tests.edge import CONFIGURATION, ROOT, App, Edge, wait_until
from tests.integration.haproxy.conftest import StartEdge, asked
from tests.integration.haproxy.test_limits import assert_problem

KEY = {"Idempotency-Key": "one"}


def only(apps: list[App]) -> dict[str, list[str]]:
    """The headers of the one request that the app servers were sent."""
    [request] = [one for app in apps for one in app.asked]
    return request.headers


def test_a_request_has_one_id_in_the_app_the_answer_and_the_log(
    edge: Edge, apps: list[App]
) -> None:
    answer = httpx.get(f"{edge.url}/api/cart/")
    given = answer.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f-]{36}", given)
    assert only(apps)["x-request-id"] == [given]
    wait_until(lambda: len(edge.lines()) == 1, edge.log)
    assert edge.lines()[0]["request_id"] == given


def test_an_id_of_the_caller_is_passed_on(edge: Edge, apps: list[App]) -> None:
    answer = httpx.get(f"{edge.url}/api/cart/", headers={"X-Request-ID": "Order-7_b.2"})
    assert answer.headers["X-Request-ID"] == "Order-7_b.2"
    assert only(apps)["x-request-id"] == ["Order-7_b.2"]


@pytest.mark.parametrize(
    "ids", [['"},{"'], ["a b"], ["a" * 65], [""], ["a", "b"], ["a,b"], ["\u00e9"]]
)
def test_an_id_that_is_none_is_replaced(edge: Edge, apps: list[App], ids: list[str]) -> None:
    headers = [(b"X-Request-ID", one.encode("latin-1")) for one in ids]
    answer = httpx.get(f"{edge.url}/api/cart/", headers=headers)
    given = answer.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f-]{36}", given)
    assert only(apps)["x-request-id"] == [given]


def test_the_log_has_who_what_and_how_long_but_no_query(edge: Edge) -> None:
    path = '/api/"odd"\\path/?token=secret'
    with httpx.Client(base_url=edge.url) as client:
        client.send(client.build_request("GET", "/", extensions={"target": path.encode()}))
    wait_until(lambda: len(edge.lines()) == 1, edge.log)
    [line] = edge.lines()
    assert line["path"] == '/api/"odd"\\path/'
    assert (line["method"], line["status"], line["client"]) == ("GET", 200, "127.0.0.1")
    assert line["server"] in {"app1", "app2"}
    assert set(line["ms"]) == {"request", "queue", "connect", "response", "total"}
    assert "secret" not in edge.log.read_text()


def test_good_requests_are_not_logged_unless_asked_for(start_edge: StartEdge) -> None:
    edge = start_edge(LOG_REQUESTS="off")
    httpx.get(f"{edge.url}/api/cart/")
    httpx.get(f"{edge.url}/metrics")
    wait_until(lambda: len(edge.lines()) == 1, edge.log)
    assert edge.lines()[0]["path"] == "/metrics"


def test_the_app_learns_the_clients_address_from_haproxy_alone(edge: Edge, apps: list[App]) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Anything": "1",
    }
    httpx.get(f"{edge.url}/api/cart/", headers=claims)
    seen = only(apps)
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["http"]
    passed = {name for name in seen if "forwarded" in name}
    assert passed == {"x-forwarded-for", "x-forwarded-proto"}


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Path_Info", "X_Forwarded_For", "_a", "a_"])
def test_no_name_with_an_underscore_passes(edge: Edge, apps: list[App], name: str) -> None:
    httpx.get(f"{edge.url}/api/cart/", headers={name: "/x", "Accept-Language": "en"})
    seen = only(apps)
    assert "accept-language" in seen
    assert not any("_" in one for one in seen)


@pytest.mark.parametrize("path", ["/metrics", "/%6detrics", "//metrics", "/METRICS", "/metrics/x"])
def test_the_apps_own_figures_are_not_for_the_public(
    edge: Edge, apps: list[App], path: str
) -> None:
    with httpx.Client(base_url=edge.url) as client:
        answer = client.send(client.build_request("GET", "/", extensions={"target": path.encode()}))
    assert_problem(answer, 404, "not_found")
    assert asked(apps) == []


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/api/gone/", {}),
        ("HEAD", "/api/gone/", {}),
        ("POST", "/api/orders/", KEY),
        ("POST", "/api/cart/items/", KEY),
    ],
)
def test_what_is_harmless_twice_is_repeated_when_a_server_dies_over_it(
    edge: Edge, apps: list[App], method: str, path: str, headers: dict[str, str]
) -> None:
    answer = httpx.request(method, f"{edge.url}{path}", headers=headers)
    assert answer.status_code == 502  # each of them died
    assert len(asked(apps)) == 4
    assert all(app.asked for app in apps)


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/api/orders/", {}), ("/api/wishlist/items/", KEY), ("/api/gone/", KEY)],
)
def test_what_may_have_been_carried_out_is_not_repeated(
    edge: Edge, apps: list[App], path: str, headers: dict[str, str]
) -> None:
    answer = httpx.post(f"{edge.url}{path}", headers=headers, json={"quantity": 1})
    assert_problem(answer, 502, "bad_gateway")
    assert answer.headers["Retry-After"] == "1"
    assert len(asked(apps)) == 1


def test_a_server_that_takes_no_connection_is_not_noticed_by_anybody(
    edge: Edge, apps: list[App]
) -> None:
    apps[0].shutdown()
    apps[0].server_close()
    answers = [httpx.post(f"{edge.url}/api/users/", json={}) for _ in range(10)]
    assert {answer.json()["server"] for answer in answers} == {"app2"}


def test_the_operations_that_may_be_repeated_are_those_that_keep_a_key() -> None:
    document = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    found = re.search(r"acl keyed path -m reg '(.*)'", CONFIGURATION.read_text())
    assert found
    for path, operations in document["paths"].items():
        parameters = operations.get("post", {}).get("parameters", [])
        keeps_key = any(one.get("name") == "Idempotency-Key" for one in parameters)
        example = re.sub(r"\{[^}]*\}", secrets.token_hex(4), path)
        if "post" in operations:
            assert bool(re.fullmatch(found[1], example)) == keeps_key, path


def test_what_is_no_http_does_not_reach_the_app(edge: Edge, apps: list[App]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", edge.http_port, timeout=5)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Bad Name", "1")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()
    assert asked(apps) == []
