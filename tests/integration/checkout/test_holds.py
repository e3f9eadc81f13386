"""Unpaid orders give their stock back, unless money is or may be on its way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import charging, holds, tasks
from shop.checkout.services import pay_order, place_order
from shop.core import outbox, turns
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.payments.gateways.base import GatewayUnavailable, Standing
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import REFUSED, FakeGateway
from tests.integration.checkout.state import history_of, payments_of, status_of, topics_of

pytestmark = pytest.mark.django_db

Place = Callable[..., Order]


def later(by: timedelta = timedelta(0)) -> datetime:
    """The moment when an order of now is no longer kept, and some time after it."""
    return timezone.now() + settings.UNPAID_ORDER_LIFETIME + timedelta(seconds=1) + by


@pytest.fixture(autouse=True)
def _the_first_turn() -> None:
    turns.note_end(holds.NAME)


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
    order = place(ana, token="tok_declined")
    assert shelf(order) == 8
    assert holds.cancel_unpaid(now=later()) == {"cancelled": 1}
    assert status_of(ana, order.id) == "cancelled"
    assert payments_of(ana) == ["failed"]
    assert history_of(ana) == [("cancelled", {"by": "unpaid"})]
    assert shelf(order) == 10
    assert drift() == []


def test_it_is_cancelled_once(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place(ana, token="tok_declined")
    holds.cancel_unpaid(now=later())
    assert holds.cancel_unpaid(now=later()) == {}
    assert topics_of(ana) == ["payment.failed", "order.cancelled"]
    assert shelf(order) == 10


def test_an_order_that_was_never_charged_is_charged_before_it_is_given_up(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    """Its worker was away for as long as the order was kept."""
    order = place(ana)
    assert holds.cancel_unpaid(now=later()) == {"paid": 1}
    assert status_of(ana, order.id) == "paid"
    assert gateway.calls == ["charge"]
    assert shelf(order) == 8


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


def test_a_charge_that_never_reached_the_gateway_is_made_once_more(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place(ana)
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN]
    with pytest.raises(GatewayUnavailable):
        charging.charge_order(user_id=ana.id, order_id=order.id)
    gateway.standings.clear()
    gateway.charged.clear()
    assert holds.cancel_unpaid(now=later()) == {"paid": 1}
    assert list(gateway.charged.values()) == [1]


@pytest.mark.parametrize("answer", [Standing.UNKNOWN, REFUSED], ids=["silence", "refusal"])
def test_a_gateway_that_stays_away_is_waited_for_and_not_for_ever(
    ana: User, place: Place, gateway: FakeGateway, answer: Standing | Exception
) -> None:
    order = place(ana)
    gateway.answers = [answer] * 20
    longest = settings.UNPAID_ORDER_LONGEST
    almost = timezone.now() + longest - timedelta(minutes=1)
    assert holds.cancel_unpaid(now=almost) == {"left": 1}
    assert shelf(order) == 8
    assert holds.cancel_unpaid(now=timezone.now() + longest) == {"cancelled": 1}
    assert shelf(order) == 10


def test_the_outbox_asks_for_late_money_for_longer_than_an_order_is_kept() -> None:
    asked = sum(map(outbox.pause_after, range(outbox.MOST_HANDOVERS)), timedelta(0))
    assert asked > settings.UNPAID_ORDER_LONGEST


def test_a_gateway_that_has_just_not_answered_is_left_alone_and_asked_for_the_others_next(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    orders = [place(ana) for _ in range(5)]
    gateway.answers = [Standing.UNKNOWN] * 100
    asked: list[UUID] = []
    gateway.meanwhile = lambda: asked.append(_last_asked(ana))
    assert holds.cancel_unpaid(now=later()) == {"left": 5}
    assert asked == [order.id for order in orders[: holds.SILENCES]]
    assert holds.cancel_unpaid(now=later()) == {"left": 2}
    assert asked[holds.SILENCES :] == [order.id for order in orders[holds.SILENCES :]]
    gateway.answers = []
    assert holds.cancel_unpaid(now=later()) == {"paid": 5}
    assert set(gateway.charged.values()) == {1}


def _last_asked(user: User) -> UUID:
    asked = Payment.objects.for_user(user.id).filter(asked_at__isnull=False)
    last: Payment = asked.latest("asked_at")
    return last.order_id


def test_a_silent_gateway_keeps_no_order_that_it_is_not_needed_for(
    ana: User, bo: User, place: Place, gateway: FakeGateway
) -> None:
    for _ in range(holds.SILENCES):
        place(ana)
    declined = place(bo, token="tok_declined")
    charging.charge_order(user_id=bo.id, order_id=declined.id)
    gateway.answers = [Standing.UNKNOWN] * 100
    assert holds.cancel_unpaid(now=later()) == {"left": holds.SILENCES, "cancelled": 1}


def test_a_turn_obeys_its_time_limit_and_the_next_one_goes_on_behind_it(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    slow, other = place(ana), place(ana)

    def strike() -> None:
        raise SoftTimeLimitExceeded

    gateway.meanwhile = strike
    with pytest.raises(SoftTimeLimitExceeded):
        holds.cancel_unpaid(now=later())
    assert gateway.calls == ["charge"]
    gateway.meanwhile = lambda: None
    assert holds.cancel_unpaid(now=later()) == {"paid": 1}
    assert status_of(ana, other.id) == "paid"
    assert holds.cancel_unpaid(now=later()) == {"paid": 1}
    assert status_of(ana, slow.id) == "paid"


def test_there_is_one_turn_at_a_time(
    ana: User, place: Place, gateway: FakeGateway, settings: Any
) -> None:
    settings.UNPAID_ORDER_LIFETIME = timedelta(0)
    order = place(ana)
    with turns.turn(holds.NAME, longest=timedelta(minutes=1)) as is_ours:
        assert is_ours
        tasks.cancel_unpaid.run()
        assert status_of(ana, order.id) == "pending"
    tasks.cancel_unpaid.run()
    assert status_of(ana, order.id) == "paid"


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
    broken, sound = (place(user, token="tok_declined") for user in (ana, bo))
    monkeypatch.setattr(holds, "BATCH", 1)
    lock = holds.lock_order

    def fail(user_id: object, order_id: object) -> Order:
        if order_id == broken.id:
            raise RuntimeError
        return lock(user_id, order_id)

    monkeypatch.setattr(holds, "lock_order", fail)
    assert holds.cancel_unpaid(now=later()) == {"left": 1, "cancelled": 1}
    assert status_of(bo, sound.id) == "cancelled"
