"""A gateway away for 40 minutes under orders: late rather than never, in time that is told."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import holds, tasks
from shop.checkout.services import place_order
from shop.core import broker, dead_letters, outbox, turns
from shop.core.models import OutboxEvent
from shop.inventory.selectors import drift
from shop.orders.models import Order
from shop.payments.gateways.base import Standing
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import FakeGateway

pytestmark = pytest.mark.django_db

OUTAGE = timedelta(minutes=40)
ORDERS = 3


@pytest.fixture(autouse=True)
def _the_critical_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is handed over, charges are made at once; the other subscribers are not asked."""

    def send(task: str, kwargs: Any) -> None:
        if task == tasks.charge_order.name:
            tasks.charge_order.apply(kwargs=kwargs)

    monkeypatch.setattr(broker, "send", send)
    turns.note_end(holds.NAME)


@pytest.fixture
def orders(ana: User, make_product: MakeProduct) -> list[Order]:
    product = make_product(stock=ORDERS)

    def place() -> Order:
        add_item(user_id=ana.id, product_id=product.id, quantity=1)
        with transaction.atomic():
            return place_order(user_id=ana.id, payment_method="card", payment_token="tok_success")

    return [place() for _ in range(ORDERS)]


def sweep(user_id: UUID) -> None:
    """Hand over all that waits, as if its pause were over."""
    waiting = OutboxEvent.objects.for_user(user_id).filter(due_at__isnull=False)
    waiting.update(due_at=timezone.now() - timedelta(seconds=1))
    for event in outbox.sweep():
        dead_letters.bury_event(event)


def statuses(user: User) -> set[str]:
    return set(Order.objects.for_user(user.id).values_list("order_status", flat=True))


def live_through(user: User, start: datetime, outage: timedelta) -> None:
    """Let the sweep and the holds do what falls into this time."""
    elapsed, handovers = timedelta(0), 0
    while elapsed < outage:
        sweep(user.id)
        if elapsed > settings.UNPAID_ORDER_LIFETIME:
            holds.cancel_unpaid(now=start + elapsed)
        elapsed += outbox.pause_after(handovers)
        handovers += 1


def test_a_gateway_away_for_forty_minutes_costs_time_and_no_order(
    ana: User, orders: list[Order], gateway: FakeGateway
) -> None:
    start = timezone.now()
    gateway.answers = [Standing.UNKNOWN] * 10_000
    live_through(ana, start, OUTAGE)
    assert statuses(ana) == {"pending"}
    assert dead_letters.letters(limit=10) == []
    gateway.answers = []
    gateway.standings.clear()  # nothing of it has reached the gateway
    gateway.charged.clear()
    holds.cancel_unpaid(now=start + OUTAGE)
    sweep(ana.id)
    assert statuses(ana) == {"paid"}
    assert sorted(gateway.charged.values()) == [1] * ORDERS
    assert drift() == []
