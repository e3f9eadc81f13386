"""A merchant who dribbles holds up nobody but merchants."""

import statistics
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.chaos.conftest import wait_until
from tests.e2e.conftest import at_once
from tests.native import native

BUYERS = 10
ORDERS_EACH = 10
CONFIRMED_WITHIN = 60.0  # seconds after the last order
ORDER = {"payment_method": "card", "payment_token": "tok_success"}
TOPICS = ["order.placed", "order.paid"]
# From the order to its mail, by the clock of the machine that they share.
CONFIRMED = """
SELECT extract(epoch FROM mail.sent_at - placed.created_at)
FROM orders_order placed JOIN notifications_sentmail mail
    ON mail.user_id = placed.user_id AND mail.subject_id = placed.id
    AND mail.kind = 'order_confirmation'
WHERE placed.id = ANY(%s::uuid[])
"""

Rows = Callable[..., list[Any]]


class Dribbler(ThreadingHTTPServer):
    """Begins an answer, and sends a header of it now and then, for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked = 0
        self.answered = 0
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Dribbler

    def do_POST(self) -> None:
        self.server.asked += 1
        self.send_response(200)
        while not self.server.closing.wait(0.5):
            try:
                self.wfile.write(b"X-More: to come\r\n")
            except OSError:
                return
        self.server.answered += 1

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
@native("listens where the workers of the local stack reach it")
def dribbler(sam: httpx.Client) -> Iterator[Dribbler]:
    with Dribbler() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        wanted = {"url": f"http://127.0.0.1:{server.server_port}/", "topics": TOPICS}
        made = sam.post("/api/staff/webhooks/", json=wanted)
        assert made.status_code == 201, made.text
        yield server
        sam.delete(made.headers["Location"])
        server.closing.set()
        server.shutdown()


def test_a_hundred_orders_are_confirmed_while_a_merchant_dribbles(
    new_user: Callable[[], httpx.Client],
    new_product: Callable[[int], int],
    rows: Rows,
    request: pytest.FixtureRequest,
) -> None:
    buyers = [(new_user(), new_product(1000)) for _ in range(BUYERS)]  # they shop side by side
    usual = confirmed(shop(buyers, "before"), rows)
    merchant: Dribbler = request.getfixturevalue("dribbler")
    beside = confirmed(shop(buyers, "beside"), rows)
    assert merchant.asked > 0
    assert merchant.answered == 0, "it dribbled all the time"
    # Figures, not conditions: the machine has other work.
    for name, seconds in (("before", usual), ("beside a dribbling merchant", beside)):
        half, most = statistics.median(seconds), statistics.quantiles(seconds, n=20)[18]
        print(f"{name}: confirmed after {half:.2f} s (median), {most:.2f} s (p95)")


def shop(buyers: list[tuple[httpx.Client, int]], name: str) -> list[str]:
    """Place the orders; return their ids."""

    def buy(number: int) -> list[str]:
        client, product = buyers[number]
        ids = []
        for count in range(ORDERS_EACH):
            added = client.post("/api/cart/items/", json={"product_id": product})
            assert added.status_code == 201, added.text
            key = {"Idempotency-Key": f"{name}-{count}"}
            placed = client.post("/api/orders/", json=ORDER, headers=key)
            assert placed.status_code == 201, placed.text
            ids.append(placed.json()["id"])
        return ids

    return [order for ids in at_once(buy, len(buyers)) for order in ids]


def confirmed(orders: list[str], rows: Rows) -> list[float]:
    """Wait until each order has its mail; return after how many seconds it had."""
    assert wait_until(lambda: len(rows(CONFIRMED, orders)) == len(orders), seconds=CONFIRMED_WITHIN)
    return [float(seconds) for [seconds] in rows(CONFIRMED, orders)]
