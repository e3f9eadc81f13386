"""The backend's two remedies, seen in what it sends and in what the database answers."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.models import IdempotencyKey
from shop.inventory.models import StockMovement
from shop.orders.models import Order, OrderItem
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

DEFERRABLE = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND condeferrable"


def test_several_rows_are_inserted_as_values(make_product: MakeProduct) -> None:
    product = make_product(stock=1)
    rows = [StockMovement(product_id=product.id, delta=n, reason="receipt") for n in (1, 2, 3)]
    with CaptureQueriesContext(connection) as sent:
        StockMovement.objects.bulk_create(rows)
    (insert,) = [q["sql"] for q in sent.captured_queries if q["sql"].startswith("INSERT")]
    assert "VALUES" in insert
    assert "UNNEST" not in insert
    assert StockMovement.objects.for_product(product.id).count() == 4


def test_a_bulk_insert_may_update_what_is_there(ana: User) -> None:
    rows = [
        IdempotencyKey(user_id=ana.id, key=key, fingerprint="f", status=201, body="{}")
        for key in ("a", "b")
    ]
    for status in (201, 409):
        for row in rows:
            row.status = status
        IdempotencyKey.objects.bulk_create(
            rows,
            update_conflicts=True,
            update_fields=["status"],
            unique_fields=["user_id", "key"],
        )
    kept = IdempotencyKey.objects.for_user(ana.id).values_list("status", flat=True)
    assert list(kept) == [409, 409]


def test_no_foreign_key_is_deferrable() -> None:
    with connection.cursor() as cursor:
        cursor.execute(DEFERRABLE)
        assert cursor.fetchall() == []


def test_a_broken_foreign_key_into_the_group_fails_at_its_statement() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(user_id=new_id(), cart_id=new_id(), total_amount=1)


def test_a_broken_foreign_key_to_a_copied_table_fails_at_its_statement(ana: User) -> None:
    order = Order.objects.create(user_id=ana.id, cart_id=new_id(), total_amount=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderItem.objects.create(
            user_id=ana.id, order_id=order.id, product_id=0, quantity=1, price=1
        )


def test_a_relation_holds_only_with_both_of_its_columns(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    order = Order.objects.create(user_id=ana.id, cart_id=new_id(), total_amount=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderItem.objects.create(
            user_id=bo.id, order_id=order.id, product=make_product(), quantity=1, price=1
        )
