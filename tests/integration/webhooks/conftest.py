"""A merchant that listens, and an endpoint that leads there."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import transaction

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout.services import place_order
from shop.core.models import OutboxEvent
from shop.orders.models import Order
from shop.webhooks import circuits, delivering, services
from shop.webhooks.models import TOPICS, WebhookDelivery, WebhookEndpoint
from tests.conftest import MakeProduct


class Merchant(ThreadingHTTPServer):
    """Takes what it is told, or answers something else; or dribbles: a header now and then."""

    def __init__(self) -> None:
        self.answer = 204
        self.dribbles = False
        self.closing = threading.Event()
        self.told: list[tuple[bytes, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/events?shop=1"


class _Handler(BaseHTTPRequestHandler):
    server: Merchant

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((body, dict(self.headers.items())))
        self.send_response(self.server.answer)
        while self.server.dribbles and not self.server.closing.wait(0.1):
            try:
                self.wfile.write(b"X-More: to come\r\n")
            except OSError:
                return
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    with Merchant() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.closing.set()
        server.shutdown()


@pytest.fixture
def endpoint(db: None, merchant: Merchant) -> WebhookEndpoint:
    made = services.create_endpoint(url=merchant.url, topics=TOPICS)
    circuits.note(made.id, answered=True)  # ids come again where databases do
    return made


@pytest.fixture
def order(ana: User, make_product: MakeProduct) -> Order:
    add_item(user_id=ana.id, product_id=make_product(stock=5, price="4.50").id, quantity=2)
    with transaction.atomic():
        return place_order(user_id=ana.id, payment_method="card")


@pytest.fixture
def event(order: Order) -> OutboxEvent:
    """What is told of an order that was placed."""
    placed: OutboxEvent = OutboxEvent.objects.for_user(order.user_id).get(topic="order.placed")
    return placed


Deliver = Callable[[], str | None]


@pytest.fixture
def deliver(event: OutboxEvent, endpoint: WebhookEndpoint) -> Deliver:
    """Record the event for the endpoint, and make one attempt each time it is called."""
    [(delivery_id, _)] = services.record(event)
    rows = WebhookDelivery.objects.for_user(event.user_id).filter(id=delivery_id)

    def attempt() -> str | None:
        due_at = rows.get().due_at
        return delivering.deliver(user_id=event.user_id, delivery_id=delivery_id, due_at=due_at)

    return attempt
