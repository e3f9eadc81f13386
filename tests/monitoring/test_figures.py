"""Every panel shows something, and every rule reads what there is, on a stack in use."""

import re
import secrets
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from monitoring import lint_rules, promql
from monitoring.dashboards import ALL
from tests.e2e.conftest import manage
from tests.monitoring.watching import Watch, eventually, repeated

PANELS = [
    pytest.param(query.expr, id=f"{dashboard.uid}-{panel.id}-{number}")
    for dashboard in ALL
    for panel in dashboard.panels
    for number, query in enumerate(panel.queries)
]
RULES = {rule.get("alert") or rule["record"]: rule["expr"] for rule in lint_rules.all_rules()}
# Series that begin with the first misfortune, and why a stack in good health has none.
NOT_YET = {
    'sharding_map_refreshes_total{outcome="failed"}': "no attempt fails",
    "sharding_route_fallbacks_total": "no node refuses",
    'shardmart_http_request_duration_seconds_count{status=~"5.."}': "nothing fails",
}
# What a single node without Citus has no figures of.
OF_A_CLUSTER = re.compile(r"citus_|sharding_(node_(bytes|shards)|map|route|heaviest|rebalance)")
# What tests that ran before may have left on this stack.
LEFT_BEHIND = {
    "OutboxOld": "charges whose gateway was gone are tried again for minutes",
    "OutboxHeldUp": "and then at the outbox's own pauses",
}
# Grafana's variables: what they are when everything is chosen.
CHOSEN = {
    "$__rate_interval": "30s",
    "$__range": "5m",
    "$route": ".*",
    "$method": ".*",
    "$node": ".*",
}


@pytest.fixture(scope="module")
def in_use(prometheus: Watch, url: str) -> Iterator[Watch]:
    """The stack after a buyer's whole journey, and what shops have besides; somebody browses."""
    manage("seed", "--products", "5", "--users", "1", "--orders", "1")
    manage("smoke")
    with httpx.Client(base_url=url, timeout=60) as client:
        _misfortunes(client)
    with httpx.Client(base_url=url, timeout=60) as guest, repeated(lambda: _browse(guest)):
        yield prometheus


def _browse(guest: httpx.Client) -> None:
    guest.get("/api/products/", params={"search": secrets.token_hex(2)})  # past HAProxy's cache
    guest.get("/api/products/")
    time.sleep(0.1)


def _misfortunes(client: httpx.Client) -> None:
    """Ask for what is not there, for more than there is, and for the same thing twice."""
    client.get("/api/nothing-here/")
    name = f"user-{secrets.token_hex(8)}"
    password = secrets.token_urlsafe(16)
    registered = client.post(
        "/api/auth/register/",
        json={"username": name, "email": f"{name}@example.com", "password": password},
    ).json()
    client.headers["Authorization"] = f"Bearer {registered['access']}"
    product = client.get("/api/products/?in_stock=true").json()["results"][0]["id"]
    for quantity, key in ((1, "first"), (1, "first"), (99_999, "second")):
        client.post("/api/cart/items/", json={"product_id": product, "quantity": quantity})
        client.post(
            "/api/orders/",
            json={"payment_method": "card", "payment_token": "tok_success"},
            headers={"Idempotency-Key": f"{name}-{key}"},
        )


@pytest.fixture(scope="module")
def only_node(in_use: Watch) -> bool:
    """Whether the stack runs without Citus."""
    return "single" in {found["metric"]["role"] for found in in_use.ask("sharding_node_info")}


@pytest.mark.parametrize("expression", PANELS)
def test_every_query_of_every_panel_returns_something(
    in_use: Watch, only_node: bool, expression: str
) -> None:
    if only_node and OF_A_CLUSTER.search(expression):
        pytest.skip("Citus is not installed: no figures of a cluster")
    for variable, value in CHOSEN.items():
        expression = expression.replace(variable, value)
    # A rate needs two scrapes, and a recording rule an evaluation after them.
    eventually(
        lambda: in_use.ask(expression), seconds=20, what=lambda: f"{expression} returns something"
    )


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_reads_series_that_exist(in_use: Watch, only_node: bool, rule: str) -> None:
    if only_node and OF_A_CLUSTER.search(RULES[rule]):
        pytest.skip("Citus is not installed: no figures of a cluster")
    wanted = promql.selectors(RULES[rule]) - NOT_YET.keys()
    eventually(
        lambda: all(in_use.ask(selector) for selector in wanted),
        seconds=20,
        what=lambda: f"{wanted} exist",
    )


def test_what_is_not_there_yet_still_is_not(in_use: Watch) -> None:
    """An exemption that is no longer needed has to go."""
    used = {selector for expression in RULES.values() for selector in promql.selectors(expression)}
    assert NOT_YET.keys() <= used


def test_no_rule_fails(in_use: Watch) -> None:
    groups = in_use.get("/api/v1/rules")["groups"]
    broken = [
        f"{rule['name']}: {rule['lastError']}"
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    ]
    assert groups
    assert not broken


def test_nothing_fires_on_a_stack_in_good_health(in_use: Watch) -> None:
    eventually(
        lambda: in_use.firing() <= LEFT_BEHIND.keys(),
        seconds=40,
        what=lambda: f"no alert fires: {in_use.firing()}",
    )


def test_every_node_and_its_pooler_are_named_as_in_the_cluster(
    in_use: Watch, rows: Callable[..., list[tuple[str]]]
) -> None:
    if not rows("SELECT 1 FROM pg_extension WHERE extname = 'citus'"):
        pytest.skip("Citus is not installed: one node, called as in its address")
    in_cluster = {name for (name,) in rows("SELECT nodename || ':' || nodeport FROM pg_dist_node")}
    for metric in ("sharding_node_up", "pg_up", "pgbouncer_up", "pg_connections_limit"):
        assert {found["metric"]["node"] for found in in_use.ask(metric)} >= in_cluster


def test_every_alert_links_to_a_page_that_can_be_read(in_use: Watch) -> None:
    links = {
        rule["name"]: rule["annotations"]["runbook_url"]
        for group in in_use.get("/api/v1/rules")["groups"]
        for rule in group["rules"]
        if rule["type"] == "alerting"
    }
    assert links
    for alert, address in links.items():
        login = httpx.get(address, timeout=10)
        assert login.status_code == 302, address
        assert login.headers["Location"].endswith(f"/admin/login/?next=/status/runbooks/{alert}.md")
