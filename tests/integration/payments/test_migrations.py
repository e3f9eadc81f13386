"""What is made of payments that were settled before refunds were due."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.services import create_order
from shop.payments.models import Payment
from shop.payments.services import create_payment

pytestmark = pytest.mark.django_db

migration = import_module("shop.payments.migrations.0004_transfers_to_pay_out")


@pytest.mark.parametrize(
    ("method", "before", "after"),
    [
        ("bank_transfer", "refunded", ("refund_due", "")),  # nobody was ever told to pay it out
        ("bank_transfer", "pending", ("pending", "tok")),
        ("card", "refunded", ("refunded", "")),
        ("card", "succeeded", ("succeeded", "")),
        ("card", "pending", ("pending", "tok")),
    ],
)
def test_transfers_that_were_called_refunded_are_due_and_settled_tokens_are_gone(
    ana: User, method: str, before: str, after: tuple[str, str]
) -> None:
    order = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])
    create_payment(
        user_id=ana.id,
        order_id=order.id,
        amount=Decimal(5),
        payment_method=method,
        token="tok",
    )
    Payment.objects.for_user(ana.id).update(status=before)
    with connection.cursor() as cursor:
        for statement in (migration.DUE, migration.TOKENS):
            cursor.execute(statement)
    assert Payment.objects.for_user(ana.id).values_list("status", "token").get() == after
