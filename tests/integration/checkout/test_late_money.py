"""Money of a cancelled order goes back, whatever was lost, however late and however often told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.db import transaction

from sandbox_gateway.app import Application
from sandbox_gateway.provider import Provider
from sandbox_gateway.settings import Settings
from sandbox_gateway.store import Store
from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import tasks
from shop.checkout.services import cancel_order, place_order
from shop.core.models import OutboxEvent
from shop.core.tasks import NotNow, consume_now
from shop.orders.models import Order
from shop.payments import gateways
from shop.payments.gateways.sandbox import Sandbox
from shop.payments.gateways.stripe import Stripe
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.checkout.state import payments_of, status_of
from tests.integration.checkout.stripe_stand_in import StandIn, serving

pytestmark = pytest.mark.django_db

TASKS = {
    "order.placed": tasks.charge_order,
    "payment.given_up": tasks.charge_payment,
    "payment.refund_due": tasks.refund_payment,
}


class InFlight(httpx.BaseTransport):
    """The way to the sandbox: while it is `slow`, charges arrive when `arrive` is called."""

    def __init__(self, app: Application) -> None:
        self._inner = httpx.WSGITransport(app=app)
        self._waiting: list[httpx.Request] = []
        self.slow = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.slow and request.url.path == "/charges":
            self._waiting.append(request)
            raise httpx.ReadTimeout("no answer in time", request=request)
        return self._inner.handle_request(request)

    def arrive(self) -> None:
        for request in self._waiting:
            self._inner.handle_request(request)


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with serving() as stand_in:
        client = Stripe(api_key="sk_test_none", api_base=stand_in.url, timeout=5)
        monkeypatch.setattr(gateways, "current", lambda: client)
        yield stand_in


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sandbox, InFlight]]:
    """The sandbox, which loses every one of its webhooks."""
    settings = Settings(
        state=tmp_path / "gateway.sqlite",
        key="k",
        latency=(0, 0),
        losses=1.0,
        webhook_url="http://x",
    )
    store = Store(settings.state)
    way = InFlight(Application(Provider(settings, store), store, key="k"))
    client = Sandbox(url="http://sandbox", key="k", timeout=5, transport=way)
    monkeypatch.setattr(gateways, "current", lambda: client)
    yield client, way
    client.close()


@pytest.fixture
def place(ana: User, make_product: MakeProduct) -> Callable[[], Order]:
    product = make_product(stock=10)

    def order() -> Order:
        add_item(user_id=ana.id, product_id=product.id, quantity=1)
        with transaction.atomic():
            return place_order(user_id=ana.id, payment_method="card", payment_token="tok_success")

    return order


def cancel(order: Order) -> None:
    with transaction.atomic():
        cancel_order(user_id=order.user_id, order_id=order.id, check=lambda _: None)


def handle(user: User, topic: str) -> None:
    """Do what the worker does with an event; delivered twice, as it may be."""
    event = OutboxEvent.objects.for_user(user.id).get(topic=topic)
    consume_now(TASKS[topic], event)
    consume_now(TASKS[topic], event)


def give_up(user: User, topic: str) -> None:
    """Let nobody wait for an event any more, as when its task has become a dead letter."""
    OutboxEvent.objects.for_user(user.id).filter(topic=topic).update(waiting_for=[], due_at=None)


def test_a_refund_right_after_the_charge_does_not_wait_for_the_search(
    ana: User, place: Callable[[], Order], stripe: StandIn
) -> None:
    order = place()
    handle(ana, "order.placed")
    assert Payment.objects.for_user(ana.id).get().provider_ref == "pi_0"
    cancel(order)
    handle(ana, "payment.refund_due")
    assert (status_of(ana, order.id), payments_of(ana)) == ("cancelled", ["refunded"])
    assert (len(stripe.refunds), stripe.searches) == (1, 0)


def test_a_charge_whose_answer_is_lost_goes_back_when_the_search_finds_it(
    ana: User, place: Callable[[], Order], stripe: StandIn
) -> None:
    order = place()
    stripe.loses_answers = True
    with pytest.raises(NotNow):
        handle(ana, "order.placed")
    stripe.loses_answers = False
    cancel(order)
    for topic in ("order.placed", "payment.given_up"):
        with pytest.raises(NotNow):  # the search lags
            handle(ana, topic)
    assert payments_of(ana) == ["failed"]
    stripe.search_lags = False
    handle(ana, "order.placed")
    handle(ana, "payment.given_up")
    assert payments_of(ana) == ["refund_due"]
    handle(ana, "payment.refund_due")
    assert (status_of(ana, order.id), payments_of(ana)) == ("cancelled", ["refunded"])
    assert (len(stripe.intents), len(stripe.refunds)) == (1, 1)


def test_it_goes_back_also_if_the_task_that_charged_was_given_up(
    ana: User, place: Callable[[], Order], stripe: StandIn
) -> None:
    order = place()
    stripe.loses_answers = True
    with pytest.raises(NotNow):
        handle(ana, "order.placed")
    give_up(ana, "order.placed")
    cancel(order)
    stripe.loses_answers = stripe.search_lags = False
    handle(ana, "payment.given_up")
    handle(ana, "payment.refund_due")
    assert payments_of(ana) == ["refunded"]


def test_a_lost_refund_is_made_once(ana: User, place: Callable[[], Order], stripe: StandIn) -> None:
    order = place()
    handle(ana, "order.placed")
    cancel(order)
    stripe.loses_answers = True
    with pytest.raises(NotNow):
        handle(ana, "payment.refund_due")
    assert payments_of(ana) == ["refund_due"]
    stripe.loses_answers = False
    handle(ana, "payment.refund_due")
    assert (payments_of(ana), len(stripe.refunds)) == (["refunded"], 1)


def test_a_charge_that_arrives_after_its_order_was_cancelled_goes_back_without_any_webhook(
    ana: User, place: Callable[[], Order], sandbox: tuple[Sandbox, InFlight]
) -> None:
    client, way = sandbox
    order = place()
    way.slow = True
    with pytest.raises(NotNow):
        handle(ana, "order.placed")
    cancel(order)
    with pytest.raises(NotNow):  # the sandbox does not know of it: it may be on its way
        handle(ana, "order.placed")
    way.arrive()
    handle(ana, "order.placed")
    handle(ana, "payment.given_up")
    handle(ana, "payment.refund_due")
    assert (status_of(ana, order.id), payments_of(ana)) == ("cancelled", ["refunded"])
    [line] = client.ledger().values()
    assert (line["charged"], line["refunded"]) == (1, 1)
