"""A payment's states, and that one per order is in force."""

from decimal import Decimal
from itertools import product

import pytest
from django.db import IntegrityError, transaction

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.states import InvalidTransition
from shop.orders.models import Order
from shop.orders.services import create_order
from shop.payments.models import Payment
from shop.payments.services import create_payment

pytestmark = pytest.mark.django_db

# As the design has it; the model's table is compared with this one, pair by pair.
ALLOWED = {
    ("pending", "succeeded"),
    ("pending", "failed"),
    ("succeeded", "refund_due"),
    ("refund_due", "refunded"),
    ("succeeded", "refunded"),  # sent back by the gateway, unasked
    ("failed", "refund_due"),  # the money came late
    ("failed", "refunded"),  # and is back already
}
PAIRS = list(product(Payment.Status.values, repeat=2))


@pytest.fixture
def order(ana: User) -> Order:
    return create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])


def payment_in(order: Order, status: str) -> Payment:
    payment = create_payment(
        user_id=order.user_id, order_id=order.id, amount=Decimal("5"), payment_method="card"
    )
    Payment.objects.for_user(order.user_id).filter(id=payment.id).update(status=status)
    return payment


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_payment_moves_along_its_table_and_no_other_way(
    order: Order, before: str, after: str
) -> None:
    payment = payment_in(order, before)
    if (before, after) in ALLOWED:
        payment.become(after)
    else:
        with pytest.raises(InvalidTransition) as caught:
            payment.become(after)
        assert caught.value.extra == {"from": before, "to": after}
    stored = Payment.objects.for_user(order.user_id).get(id=payment.id)
    assert stored.status == (after if (before, after) in ALLOWED else before)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_settled_payment_keeps_no_token(order: Order, status: str) -> None:
    payment = payment_in(order, "pending")
    Payment.objects.for_user(order.user_id).update(token="tok_success")
    payment.become(status)
    assert (payment.token, Payment.objects.for_user(order.user_id).get().token) == ("", "")


@pytest.mark.parametrize("first", ["pending", "succeeded"])
def test_the_database_refuses_a_second_payment_in_force(order: Order, first: str) -> None:
    payment_in(order, first)
    with pytest.raises(IntegrityError), transaction.atomic():
        payment_in(order, "pending")


@pytest.mark.parametrize("first", ["failed", "refund_due", "refunded"])
def test_after_a_payment_that_has_ended_there_may_be_another(order: Order, first: str) -> None:
    payment_in(order, first)
    payment_in(order, "pending")
    assert Payment.objects.for_user(order.user_id).count() == 2
