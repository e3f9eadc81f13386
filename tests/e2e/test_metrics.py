"""What the servers say they did is what was asked of them, whichever process did it."""

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e import figures, stack
from tests.e2e.figures import Figures, grown

REQUESTS = 1000
AT_ONCE = 8
ORDERS = 4
NOTED_WITHIN = 10.0  # seconds; each process notes several times a second
DURATION = "shardmart_http_request_duration_seconds_count"


@pytest.fixture
def servers(url: str) -> list[str]:
    return stack.app_servers()


@pytest.fixture
def workers(url: str) -> list[str]:
    return stack.task_workers()


def test_a_thousand_requests_are_a_thousand_in_the_sums_of_two_servers(
    url: str, servers: list[str], new_user: Callable[[], httpx.Client]
) -> None:
    token = new_user().headers["Authorization"]
    known = {"Authorization": token}
    # What is sent, and how it is counted: by route, method and status. None of it is cached.
    kinds = {
        ("GET", "/api/cart/", "known"): ("/api/cart/", "GET", "200"),
        ("GET", "/api/orders/", "known"): ("/api/orders/", "GET", "200"),
        ("GET", "/api/orders/", "stranger"): ("/api/orders/", "GET", "401"),
        ("GET", "/api/orders/{uuid}/", "known"): ("/api/orders/{order_id}/", "GET", "404"),
        ("POST", "/api/cart/items/", "known"): ("/api/cart/items/", "POST", "400"),
        ("PUT", "/api/cart/", "known"): ("/api/cart/", "PUT", "405"),
        ("GET", "/api/{random}/", "stranger"): ("(none)", "GET", "404"),
    }
    plan = [kind for kind in kinds for _ in range(REQUESTS // len(kinds) + 1)][:REQUESTS]
    random.Random(7).shuffle(plan)
    time.sleep(1)  # what came before is noted by then, the registration above too
    before = figures.summed(servers)
    each = [figures.summed([server]) for server in servers]

    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(AT_ONCE) as pool:

        def send(kind: tuple[str, str, str]) -> int:
            method, path, who = kind
            path = path.replace("{uuid}", "0191a0b0-0000-7000-8000-00000000000a")
            path = path.replace("{random}", secrets.token_hex(4))
            body = {} if method == "POST" else None
            headers = known if who == "known" else {}
            return client.request(method, path, json=body, headers=headers).status_code

        statuses = list(pool.map(send, plan))

    assert statuses == [int(kinds[kind][2]) for kind in plan]
    expected = dict(Counter(kinds[kind] for kind in plan))
    assert _when_noted(servers, before, sum(expected.values())) == expected
    for server, earlier in zip(servers, each, strict=True):  # HAProxy sent some to each
        assert grown(earlier, figures.summed([server]), DURATION, "route")[("/api/cart/",)] > 0


def _when_noted(servers: list[str], before: Figures, count: int) -> dict[tuple[str, ...], float]:
    """Return what was counted of customers' requests, as soon as it is as many as were sent."""
    deadline = time.monotonic() + NOTED_WITHIN
    while True:
        found = grown(before, figures.summed(servers), DURATION, "route", "method", "status")
        ours = {key: value for key, value in found.items() if key[0].startswith(("/api/", "(n"))}
        if sum(ours.values()) >= count or time.monotonic() > deadline:
            return ours
        time.sleep(0.3)


def test_orders_and_their_tasks_are_counted_once_each(
    servers: list[str],
    workers: list[str],
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
) -> None:
    product = new_product(ORDERS)
    buyers = [new_user() for _ in range(ORDERS)]
    before = figures.summed([*servers, *workers])
    for buyer in buyers:
        added = {"product_id": product, "quantity": 1}
        assert buyer.post("/api/cart/items/", json=added).status_code == 201
        for status in (201, 201):  # the second one is a repetition
            paid = {"payment_method": "card", "payment_token": "tok_success"}
            key = {"Idempotency-Key": "one"}
            assert buyer.post("/api/orders/", json=paid, headers=key).status_code == status
    late = buyers[0]
    assert late.post("/api/cart/items/", json=added).status_code == 201
    refused = late.post("/api/orders/", json=paid, headers={"Idempotency-Key": "two"})
    assert refused.status_code == 409

    after = _when_all_that_was_sent_is_done(servers, workers, before)

    def grew(name: str) -> float:
        return grown(before, after, name).get((), 0.0)

    assert grew("shardmart_orders_placed_total") == ORDERS
    assert grew("shardmart_idempotent_replays_total") == ORDERS
    assert grew("shardmart_stock_refusals_total") == 1
    done = grown(before, after, "shardmart_task_duration_seconds_count", "task", "outcome")
    for task in ("checkout.charge_order", "notifications.confirm_order"):
        assert done[task, "success"] >= ORDERS
    waited = grown(before, after, "shardmart_task_wait_seconds_count", "queue")
    assert waited[("critical",)] >= ORDERS


def _when_all_that_was_sent_is_done(
    servers: list[str], workers: list[str], before: Figures
) -> Figures:
    """Wait until as many tasks that follow from events have ended as were sent.

    Those of beat are left out: beat shows no figures, so nobody knows how many it sent.
    """
    deadline = time.monotonic() + 60
    while True:
        after = figures.summed([*servers, *workers])
        sent = grown(before, after, "shardmart_tasks_sent_total", "task")
        done = grown(before, after, "shardmart_task_duration_seconds_count", "task")
        ours = {key: count for key, count in sent.items() if not _is_periodic(key[0])}
        enough = ours.get(("checkout.charge_order",), 0) >= ORDERS
        if enough and ours == {key: done.get(key) for key in ours}:
            return after
        assert time.monotonic() < deadline, f"sent {ours}, done {done}"
        time.sleep(0.5)


def _is_periodic(task: str) -> bool:
    from shop.config.schedule import BEAT_SCHEDULE

    return task in {entry["task"] for entry in BEAT_SCHEDULE.values()}


def test_the_public_front_does_not_show_the_figures(url: str) -> None:
    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/METRICS"):
        assert httpx.get(f"{url}{path}", timeout=30).status_code == 404
