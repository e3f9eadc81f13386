"""The sandbox tells the shop, twice or late if it pleases, until it listens."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox_gateway.webhooks import MOST_ATTEMPTS, Sender
from shop.payments.signatures import verify
from tests.unit.sandbox_gateway.conftest import Sandbox

SECRET = "between us"
IDS = {"user_id": "u", "payment_id": "p"}


class Shop(ThreadingHTTPServer):
    """Something that takes events, or refuses them."""

    def __init__(self) -> None:
        self.answer = 200
        self.events: list[tuple[bytes, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.events.append((body, self.headers["Webhook-Signature"]))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def talkative(make_sandbox: Callable[..., Sandbox], shop: Shop) -> Sandbox:
    return make_sandbox(webhook_url=shop.url, webhook_secret=SECRET)


def sent(sandbox: Sandbox) -> int:
    return Sender(sandbox.settings, sandbox.store).send_due()


def test_the_shop_believes_what_it_is_told(talkative: Sandbox, shop: Shop) -> None:
    talkative.charge(metadata=IDS)
    assert sent(talkative) == 1
    [(body, header)] = shop.events
    verify(body, header=header, secret=SECRET, tolerance=timedelta(seconds=5))
    assert json.loads(body)["type"] == "payment.succeeded"
    assert json.loads(body)["data"] == IDS


def test_what_was_taken_is_not_sent_again(talkative: Sandbox) -> None:
    talkative.charge()
    assert [sent(talkative), sent(talkative)] == [1, 0]


def test_each_thing_that_happens_is_told(talkative: Sandbox, shop: Shop) -> None:
    talkative.charge("one")
    talkative.charge("two", token="tok_declined")
    talkative.http.post("/charges/one/refund")
    sent(talkative)
    told = sorted(json.loads(body)["type"] for body, _ in shop.events)
    assert told == ["payment.failed", "payment.refunded", "payment.succeeded"]


def test_an_event_waits_for_a_shop_that_is_down(talkative: Sandbox, shop: Shop) -> None:
    shop.answer = 503
    talkative.charge()
    sent(talkative)
    assert talkative.store.due(0.0) == []
    [waiting] = talkative.store.due(1e12)
    assert waiting.attempts == 1


def test_an_event_survives_the_provider(talkative: Sandbox, shop: Shop) -> None:
    talkative.charge()
    talkative.restart()
    assert sent(talkative) == 1
    assert len(shop.events) == 1


def test_an_event_that_nobody_ever_takes_is_given_up(talkative: Sandbox, shop: Shop) -> None:
    shop.answer = 400
    talkative.charge()
    [event] = talkative.store.due(1e12)
    for _ in range(MOST_ATTEMPTS - 1):
        talkative.store.postpone(event.number, due=0.0)
    sent(talkative)
    assert talkative.store.due(1e12) == []


def test_an_event_may_be_told_twice_with_the_same_id(
    make_sandbox: Callable[..., Sandbox], shop: Shop
) -> None:
    sandbox = make_sandbox(webhook_url=shop.url, webhook_secret=SECRET, duplicates=1.0)
    sandbox.charge()
    assert sent(sandbox) == 2
    assert len({json.loads(body)["id"] for body, _ in shop.events}) == 1


def test_an_event_may_be_lost(make_sandbox: Callable[..., Sandbox], shop: Shop) -> None:
    sandbox = make_sandbox(webhook_url=shop.url, losses=1.0)
    sandbox.charge()
    assert sent(sandbox) == 0
