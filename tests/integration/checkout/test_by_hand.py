"""Money that people receive and pay out: transfers, and what the gateway will not send back."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import transaction

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.checkout import by_hand, charging, tasks
from shop.checkout.errors import NotATransfer, RefundUnderWay
from shop.checkout.services import cancel_order, place_order, refund_payment
from shop.core.models import OutboxEvent
from shop.core.states import InvalidTransition
from shop.core.tasks import consume_now
from shop.payments.gateways.base import Standing
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import FakeGateway
from tests.integration.checkout.state import history_of, payments_of, status_of, topics_of

pytestmark = pytest.mark.django_db

Place = Callable[..., Payment]


@pytest.fixture
def place(ana: User, make_product: MakeProduct) -> Place:
    """Ana orders a book; return its payment."""
    product = make_product(stock=10)

    def order(method: str = "bank_transfer") -> Payment:
        add_item(user_id=ana.id, product_id=product.id, quantity=1)
        with transaction.atomic():
            placed = place_order(user_id=ana.id, payment_method=method)
        payment: Payment = Payment.objects.for_user(ana.id).get(order_id=placed.id)
        return payment

    return order


def receive(payment: Payment, staff: User, reference: str = "") -> Payment:
    with transaction.atomic():
        return by_hand.receive_transfer(
            user_id=payment.user_id,
            payment_id=payment.id,
            staff_id=staff.id,
            reference=reference,
        )


def pay_out(payment: Payment, staff: User, reference: str = "") -> Payment:
    with transaction.atomic():
        return by_hand.mark_paid_out(
            user_id=payment.user_id,
            payment_id=payment.id,
            staff_id=staff.id,
            reference=reference,
        )


def cancel(payment: Payment) -> None:
    with transaction.atomic():
        cancel_order(user_id=payment.user_id, order_id=payment.order_id, check=lambda _: None)


def handle_refund(user_id: UUID) -> None:
    """Do what the worker does with the news that money has to go back."""
    event = OutboxEvent.objects.for_user(user_id).get(topic="payment.refund_due")
    consume_now(tasks.refund_payment, event)


def test_a_transfer_that_was_received_pays_its_order(ana: User, sam: User, place: Place) -> None:
    payment = place()
    assert receive(payment, sam, "MT940 17").status == "succeeded"
    assert (status_of(ana, payment.order_id), topics_of(ana)) == ("paid", ["order.paid"])
    who = {"by": "staff", "staff_id": str(sam.id), "reference": "MT940 17"}
    assert history_of(ana) == [("paid", who)]
    with pytest.raises(InvalidTransition):
        receive(payment, sam)


def test_a_paid_transfer_of_a_cancelled_order_is_due_until_somebody_has_paid_it_out(
    ana: User, sam: User, gateway: FakeGateway, place: Place
) -> None:
    payment = place()
    receive(payment, sam)
    cancel(payment)
    handle_refund(ana.id)
    assert payments_of(ana) == ["refund_due"]
    paid = pay_out(payment, sam, "SEPA 4711")
    assert (paid.status, payments_of(ana)) == ("refunded", ["refunded"])
    assert paid.paid_out_at is not None
    details = history_of(ana)[-1][1]
    assert (details["paid_out"], details["reference"]) == (str(payment.id), "SEPA 4711")
    assert gateway.calls == []
    with pytest.raises(InvalidTransition):
        pay_out(payment, sam)


def test_a_transfer_that_comes_after_its_order_was_cancelled_is_due_back(
    ana: User, sam: User, place: Place
) -> None:
    payment = place()
    cancel(payment)
    assert receive(payment, sam).status == "refund_due"
    assert status_of(ana, payment.order_id) == "cancelled"
    assert pay_out(payment, sam).status == "refunded"


def test_a_refund_by_staff_of_a_transfer_is_due_as_well(ana: User, sam: User, place: Place) -> None:
    payment = place()
    receive(payment, sam)
    with transaction.atomic():
        refunded = refund_payment(user_id=ana.id, payment_id=payment.id, staff_id=sam.id)
    assert (refunded.status, status_of(ana, payment.order_id)) == ("refund_due", "refunded")


def test_nobody_receives_by_hand_what_the_gateway_tells_of(
    ana: User, sam: User, place: Place
) -> None:
    payment = place("card")
    with pytest.raises(NotATransfer):
        receive(payment, sam)
    assert payments_of(ana) == ["pending"]


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed", "refunded"])
def test_only_what_is_due_is_paid_out(ana: User, sam: User, place: Place, status: str) -> None:
    payment = place()
    Payment.objects.for_user(ana.id).update(status=status)
    with pytest.raises(InvalidTransition):
        pay_out(payment, sam)
    assert payments_of(ana) == [status]


def test_money_that_the_gateway_is_sending_back_does_not_go_twice(
    ana: User, sam: User, gateway: FakeGateway, place: Place
) -> None:
    payment = place("card")
    charging.charge(user_id=ana.id, payment_id=payment.id)
    cancel(payment)
    with pytest.raises(RefundUnderWay):
        pay_out(payment, sam)
    # Given up: now it is a person's turn, and a replay of the task sends nothing any more.
    OutboxEvent.objects.for_user(ana.id).update(due_at=None)
    assert pay_out(payment, sam).status == "refunded"
    charging.refund(user_id=ana.id, payment_id=payment.id)
    assert gateway.standings[payment.id] == Standing.SUCCEEDED
