"""Unpaid orders give their stock back, unless money is or may be on its way."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import charging, holds
from shop.checkout.services import pay_order, place_order
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.payments.gateways.base import GatewayUnavailable, Standing
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import REFUSED, FakeGateway
from tests.integration.checkout.state import history_of, payments_of, status_of, topics_of

pytestmark = pytest.mark.django_db

Place = Callable[..., Order]


def later(by: timedelta = timedelta(0)) -> datetime:
    """The moment when an order of now is no longer kept, and some time after it."""
    return timezone.now() + settings.UNPAID_ORDER_LIFETIME + timedelta(seconds=1) + by


@pytest.fixture
def place(make_product: MakeProduct) -> Place:
    product = make_product(stock=10)

    def order(user: User, token: str = "", method: str = "card") -> Order:
        add_item(user_id=user.id, product_id=product.id, quantity=2)
        with transaction.atomic():
            return place_order(user_id=user.id, payment_method=method, payment_token=token)

    return order


def shelf(order: Order) -> int:
    return available(order.items.all()[0].product_id)


def test_an_unpaid_order_is_cancelled_and_its_stock_returns(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place(ana)
    assert shelf(order) == 8
    assert holds.cancel_unpaid(now=later()) == {"cancelled": 1}
    assert status_of(ana, order.id) == "cancelled"
    assert payments_of(ana) == ["failed"]
    assert history_of(ana) == [("cancelled", {"by": "unpaid"})]
    assert shelf(order) == 10
    assert drift() == []


def test_it_is_cancelled_once(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place(ana)
    holds.cancel_unpaid(now=later())
    assert holds.cancel_unpaid(now=later()) == {}
    assert topics_of(ana) == ["order.cancelled"]
    assert shelf(order) == 10


def test_an_order_has_its_time(ana: User, place: Place, gateway: FakeGateway) -> None:
    place(ana)
    assert holds.cancel_unpaid(now=timezone.now() + timedelta(minutes=29)) == {}


def test_a_declined_order_is_cancelled(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place(ana, token="tok_declined")
    charging.charge_order(user_id=ana.id, order_id=order.id)
    assert holds.cancel_unpaid(now=later()) == {"cancelled": 1}


def test_an_order_whose_payment_succeeded_unheard_is_paid(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place(ana)
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN]
    with pytest.raises(GatewayUnavailable):
        charging.charge_order(user_id=ana.id, order_id=order.id)
    assert holds.cancel_unpaid(now=later()) == {"paid": 1}
    assert status_of(ana, order.id) == "paid"
    assert shelf(order) == 8


@pytest.mark.parametrize("answer", [Standing.UNKNOWN, REFUSED], ids=["silence", "refusal"])
def test_while_the_gateway_does_not_say_the_stock_stays_held(
    ana: User, place: Place, gateway: FakeGateway, answer: Standing | Exception
) -> None:
    order = place(ana)
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN, answer]
    with pytest.raises(GatewayUnavailable):
        charging.charge_order(user_id=ana.id, order_id=order.id)
    assert holds.cancel_unpaid(now=later()) == {"left": 1}
    assert status_of(ana, order.id) == "pending"


def test_a_charge_that_may_be_on_its_way_is_waited_for(
    ana: User, place: Place, gateway: FakeGateway, settings: pytest.FixtureRequest
) -> None:
    settings.UNPAID_ORDER_LIFETIME = timedelta(0)
    order = place(ana)
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN]
    with pytest.raises(GatewayUnavailable):
        charging.charge_order(user_id=ana.id, order_id=order.id)
    gateway.standings.clear()
    assert holds.cancel_unpaid(now=timezone.now()) == {"left": 1}
    assert holds.cancel_unpaid(now=timezone.now() + charging.IN_DOUBT) == {"cancelled": 1}


def test_a_bank_takes_days(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place(ana, method="bank_transfer")
    assert holds.cancel_unpaid(now=later()) == {}
    assert holds.cancel_unpaid(now=later(settings.UNPAID_TRANSFER_LIFETIME)) == {"cancelled": 1}
    assert gateway.calls == []
    assert shelf(order) == 10


def test_an_order_that_is_paid_anew_at_that_moment_is_left(
    ana: User, place: Place, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place(ana, token="tok_declined")
    charging.charge_order(user_id=ana.id, order_id=order.id)
    lock = holds.lock_order

    def pay_first(*args: object) -> Order:
        with transaction.atomic():
            pay_order(user_id=ana.id, order_id=order.id, payment_method="card")
        return lock(*args)

    monkeypatch.setattr(holds, "lock_order", pay_first)
    assert holds.cancel_unpaid(now=later()) == {"left": 1}
    assert status_of(ana, order.id) == "pending"


def test_one_order_that_cannot_be_cancelled_does_not_keep_the_others(
    ana: User, bo: User, place: Place, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = place(ana), place(bo)
    monkeypatch.setattr(holds, "BATCH", 1)
    lock = holds.lock_order

    def fail(user_id: object, order_id: object) -> Order:
        if order_id == broken.id:
            raise RuntimeError
        return lock(user_id, order_id)

    monkeypatch.setattr(holds, "lock_order", fail)
    assert holds.cancel_unpaid(now=later()) == {"left": 1, "cancelled": 1}
    assert status_of(bo, sound.id) == "cancelled"
