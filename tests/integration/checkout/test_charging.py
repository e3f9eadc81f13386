"""Money is asked for once, whatever the gateway says and whoever dies in between."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import transaction

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import charging, tasks
from shop.checkout.services import cancel_order, pay_order, place_order
from shop.core.errors import NotFound
from shop.core.models import OutboxEvent
from shop.core.tasks import NotNow, Permanent, consume_now
from shop.inventory.selectors import available
from shop.orders.models import Order
from shop.payments.gateways.base import GatewayRefused, GatewayUnavailable, Standing
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import REFUSED, FakeGateway
from tests.integration.checkout.state import payments_of, status_of, topics_of

pytestmark = pytest.mark.django_db

Place = Callable[..., Order]


@pytest.fixture
def place(ana: User, make_product: MakeProduct) -> Place:
    """Ana orders a book; nothing follows yet."""
    product = make_product(stock=10)

    def order(token: str = "", method: str = "card") -> Order:
        add_item(user_id=ana.id, product_id=product.id, quantity=1)
        with transaction.atomic():
            return place_order(user_id=ana.id, payment_method=method, payment_token=token)

    return order


def charge(order: Order) -> None:
    charging.charge_order(user_id=order.user_id, order_id=order.id)


def cancel(order: Order) -> None:
    with transaction.atomic():
        cancel_order(user_id=order.user_id, order_id=order.id, check=lambda _: None)


def the_payment(order: Order) -> Payment:
    payment: Payment = Payment.objects.for_user(order.user_id).get(order_id=order.id)
    return payment


def test_a_charged_order_is_paid(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place()
    charge(order)
    assert status_of(ana, order.id) == "paid"
    assert payments_of(ana) == ["succeeded"]
    assert topics_of(ana) == ["order.paid"]
    assert gateway.calls == ["charge"]


def test_a_declined_order_waits_for_another_payment(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place(token="tok_declined")
    charge(order)
    assert status_of(ana, order.id) == "pending"
    assert payments_of(ana) == ["failed"]
    assert topics_of(ana) == ["payment.failed"]
    with transaction.atomic():
        second = pay_order(user_id=ana.id, order_id=order.id, payment_method="card")
    charging.charge(user_id=ana.id, payment_id=second.id)
    assert status_of(ana, order.id) == "paid"


def test_charging_again_and_again_changes_nothing(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    for _ in range(3):
        charge(order)
    assert gateway.calls == ["charge"]
    assert topics_of(ana) == ["order.paid"]


def test_after_a_timeout_the_gateway_is_asked_before_anything_else(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    """It had charged, and only its answer was lost."""
    order = place()
    gateway.answers = [Standing.UNKNOWN]
    charge(order)
    assert gateway.calls == ["charge", "status"]
    assert status_of(ana, order.id) == "paid"


def test_a_gateway_that_says_nothing_is_asked_how_it_stands_before_it_is_asked_for_money(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN]
    with pytest.raises(GatewayUnavailable):
        charge(order)
    assert status_of(ana, order.id) == "pending"
    charge(order)
    assert gateway.calls == ["charge", "status", "status"]
    assert status_of(ana, order.id) == "paid"
    assert list(gateway.charged.values()) == [1]


def test_a_charge_that_never_arrived_is_made_by_the_next_try(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    gateway.answers = [Standing.UNKNOWN, Standing.ABSENT]
    with pytest.raises(GatewayUnavailable):
        charge(order)
    gateway.standings.clear()
    gateway.charged.clear()
    charge(order)
    assert gateway.calls == ["charge", "status", "status", "charge"]
    assert status_of(ana, order.id) == "paid"


def test_a_worker_that_died_after_charging_charges_no_second_time(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()

    def die() -> None:
        gateway.meanwhile = lambda: None
        raise KeyboardInterrupt

    gateway.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        charge(order)
    assert payments_of(ana) == ["pending"]
    charge(order)
    assert gateway.calls == ["charge", "status"]
    assert list(gateway.charged.values()) == [1]
    assert status_of(ana, order.id) == "paid"


def test_the_money_of_an_order_that_is_cancelled_meanwhile_goes_back(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    gateway.meanwhile = lambda: cancel(order)
    charge(order)
    assert status_of(ana, order.id) == "cancelled"
    assert topics_of(ana) == ["order.cancelled", "payment.given_up", "payment.refund_due"]
    assert the_payment(order).status == "refund_due"
    charging.refund(user_id=ana.id, payment_id=the_payment(order).id)
    assert gateway.standings[the_payment(order).id] == Standing.REFUNDED
    assert the_payment(order).status == "refunded"


def test_it_goes_back_even_if_the_worker_died_before_it_knew(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()

    def cancelled_and_dead() -> None:
        gateway.meanwhile = lambda: None
        cancel(order)
        raise KeyboardInterrupt

    gateway.meanwhile = cancelled_and_dead
    with pytest.raises(KeyboardInterrupt):
        charge(order)
    for _ in range(2):
        charge(order)
    assert topics_of(ana) == ["order.cancelled", "payment.given_up", "payment.refund_due"]


def test_an_order_that_was_cancelled_before_is_not_charged(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    cancel(order)
    charge(order)
    assert gateway.calls == []
    assert available(order.items.all()[0].product_id) == 10


def test_a_bank_transfer_is_no_business_of_the_gateway(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place(method="bank_transfer")
    charge(order)
    assert gateway.calls == []
    assert payments_of(ana) == ["pending"]


def test_a_refund_is_asked_for_until_the_gateway_says_it_is_made(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    charge(order)
    cancel(order)
    gateway.answers = [Standing.UNKNOWN]
    payment = the_payment(order)
    with pytest.raises(GatewayUnavailable):
        charging.refund(user_id=ana.id, payment_id=payment.id)
    assert payments_of(ana) == ["refund_due"]
    charging.refund(user_id=ana.id, payment_id=payment.id)
    assert gateway.standings[payment.id] == Standing.REFUNDED
    assert payments_of(ana) == ["refunded"]


def test_a_refund_of_money_that_our_books_hold_never_takes_absent_for_an_answer(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    charge(order)
    cancel(order)
    gateway.answers = [Standing.ABSENT]
    with pytest.raises(NotNow, match="absent"):
        consume_now(tasks.refund_payment, _event(ana.id, "payment.refund_due"))
    assert payments_of(ana) == ["refund_due"]
    consume_now(tasks.refund_payment, _event(ana.id, "payment.refund_due"))
    assert payments_of(ana) == ["refunded"]


def test_a_refund_that_the_gateway_declines_is_a_case_for_a_person(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    charge(order)
    cancel(order)
    gateway.answers = [Standing.DECLINED]
    with pytest.raises(GatewayRefused):
        charging.refund(user_id=ana.id, payment_id=the_payment(order).id)
    assert payments_of(ana) == ["refund_due"]


def test_what_the_gateway_calls_a_payment_is_kept_with_the_outcome_and_asked_by(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    charge(order)
    payment = the_payment(order)
    assert payment.provider_ref == f"pi_{payment.id}"
    charging.standing_of(payment)
    cancel(order)
    charging.refund(user_id=ana.id, payment_id=payment.id)
    assert gateway.asked_by == [payment.provider_ref] * 2


def test_absent_is_unknown_while_a_charge_may_be_on_its_way(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    gateway.answers = [Standing.UNKNOWN, Standing.UNKNOWN]
    with pytest.raises(GatewayUnavailable):
        charge(order)
    gateway.standings.clear()
    payment = the_payment(order)
    assert payment.asked_at is not None
    soon, late = (payment.asked_at + charging.IN_DOUBT * factor for factor in (0.99, 1))
    assert charging.standing_of(payment, now=soon).standing == Standing.UNKNOWN
    assert charging.standing_of(payment, now=late).standing == Standing.ABSENT


def test_a_lost_answer_of_an_order_that_is_cancelled_meanwhile_is_asked_for_until_it_is_found(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    """The gateway charges, its answer is lost, the customer cancels, and its books lag."""
    order = place()
    event = _event(ana.id, "order.placed")
    gateway.answers = [Standing.UNKNOWN, Standing.ABSENT]
    with pytest.raises(NotNow):
        consume_now(tasks.charge_order, event)
    cancel(order)
    gateway.answers = [Standing.ABSENT]
    with pytest.raises(NotNow):
        consume_now(tasks.charge_order, event)
    consume_now(tasks.charge_order, event)
    assert payments_of(ana) == ["refund_due"]
    consume_now(tasks.refund_payment, _event(ana.id, "payment.refund_due"))
    assert payments_of(ana) == ["refunded"]
    assert gateway.calls.count("charge") == 1


def test_a_payment_that_was_given_up_meanwhile_is_not_charged_once_more(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    gateway.answers = [Standing.UNKNOWN, Standing.ABSENT]
    with pytest.raises(GatewayUnavailable):
        charge(order)
    gateway.meanwhile_asked = lambda: cancel(order)
    gateway.answers = [Standing.ABSENT]
    with pytest.raises(GatewayUnavailable):
        charge(order)
    assert gateway.calls == ["charge", "status", "status"]


def test_an_order_that_costs_nothing_is_paid_without_a_gateway(
    ana: User, make_product: MakeProduct, gateway: FakeGateway
) -> None:
    add_item(user_id=ana.id, product_id=make_product(price="0.00", stock=1).id, quantity=1)
    with transaction.atomic():
        order = place_order(user_id=ana.id, payment_method="card")
    assert order.order_status == "paid"
    consume_now(tasks.charge_order, _event(ana.id, "order.placed"))
    assert (status_of(ana, order.id), payments_of(ana)) == ("paid", ["succeeded"])
    cancel(order)
    assert payments_of(ana) == ["refunded"]
    assert gateway.calls == []
    assert topics_of(ana) == ["order.paid", "order.cancelled"]


def test_nobody_elses_payment_is_charged(bo: User, place: Place, gateway: FakeGateway) -> None:
    with pytest.raises(NotFound):
        charging.charge(user_id=bo.id, payment_id=the_payment(place()).id)


def _event(user_id: UUID, topic: str) -> OutboxEvent:
    event: OutboxEvent = OutboxEvent.objects.for_user(user_id).get(topic=topic)
    return event


def test_the_events_lead_to_the_charge_and_to_the_refund(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    order = place()
    consume_now(tasks.charge_order, _event(ana.id, "order.placed"))
    assert status_of(ana, order.id) == "paid"
    cancel(order)
    consume_now(tasks.refund_payment, _event(ana.id, "payment.refund_due"))
    assert gateway.calls == ["charge", "refund"]


def test_another_payment_is_charged_as_well(ana: User, place: Place, gateway: FakeGateway) -> None:
    order = place(token="tok_declined")
    charge(order)
    with transaction.atomic():
        pay_order(user_id=ana.id, order_id=order.id, payment_method="card")
    consume_now(tasks.charge_payment, _event(ana.id, "payment.due"))
    assert status_of(ana, order.id) == "paid"


def test_what_the_gateway_refuses_for_good_is_not_tried_again(
    ana: User, place: Place, gateway: FakeGateway
) -> None:
    place()
    gateway.answers = [REFUSED]
    with pytest.raises(Permanent):
        consume_now(tasks.charge_order, _event(ana.id, "order.placed"))
