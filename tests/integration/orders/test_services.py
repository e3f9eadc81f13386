"""Writing orders, and keeping others from them meanwhile."""

from concurrent.futures import TimeoutError as NotYet
from contextlib import ExitStack
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from sharding.ids import new_id
from shop.accounts.models import User
from shop.core.errors import NotFound
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.orders.selectors import order_of, orders_of
from shop.orders.services import Line, create_order, lock_order, note
from tests.conftest import MakeProduct
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db


def create(user: User, *lines: Line) -> Order:
    return create_order(user_id=user.id, order_id=new_id(), cart_id=new_id(), lines=lines)


def test_an_order_adds_up_its_lines_and_begins_its_history(
    ana: User, make_product: MakeProduct
) -> None:
    one, other = make_product("a"), make_product("b")
    order = create(ana, Line(one.id, "a", 3, Decimal("0.10")), Line(other.id, "b", 1, Decimal("5")))
    stored = order_of(ana.id, order.id)
    assert stored.total_amount == Decimal("5.30")
    assert {(i.product_id, i.quantity) for i in stored.items.all()} == {(one.id, 3), (other.id, 1)}
    assert [e.status for e in stored.events.all()] == ["pending"]


def test_an_order_that_was_just_made_knows_its_lines_without_a_query(
    ana: User, make_product: MakeProduct, django_assert_num_queries: object
) -> None:
    product = make_product()
    order = create(ana, Line(product.id, "a", 3, product.price))
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert [item.quantity for item in order.items.all()] == [3]


def test_an_order_is_found_by_its_user_alone(
    ana: User, bo: User, make_product: MakeProduct
) -> None:
    product = make_product()
    order = create(ana, Line(product.id, "a", 1, product.price))
    with pytest.raises(NotFound):
        order_of(bo.id, order.id)
    assert list(orders_of(bo.id)) == []


def test_a_product_stands_on_one_line(ana: User, make_product: MakeProduct) -> None:
    line = Line(make_product().id, "a", 1, Decimal(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        create(ana, line, line)
    assert not Order.objects.for_user(ana.id).exists()


@pytest.mark.parametrize("quantity", [0, -1])
def test_the_database_refuses_a_line_of_nothing(
    ana: User, make_product: MakeProduct, quantity: int
) -> None:
    line = Line(make_product().id, "a", quantity, Decimal(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        create(ana, line)


def test_the_database_refuses_a_negative_total(ana: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(user_id=ana.id, cart_id=new_id(), total_amount=-1)


def test_lines_and_history_go_with_their_order(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    create(ana, Line(product.id, "a", 1, product.price))
    Order.objects.for_user(ana.id).delete()
    assert not OrderItem.objects.for_user(ana.id).exists()
    assert not OrderEvent.objects.for_user(ana.id).exists()


def test_a_user_with_orders_cannot_be_deleted(ana: User, make_product: MakeProduct) -> None:
    product = make_product()
    create(ana, Line(product.id, "a", 1, product.price))
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.for_user(ana.id).delete()


def test_the_history_is_told_a_thing_once(ana: User) -> None:
    order = create(ana)
    assert note(order, money_back="1")
    assert not note(order, money_back="1")
    assert note(order, money_back="2")
    events = OrderEvent.objects.for_user(ana.id).order_by("id")
    assert [event.details for event in events] == [{}, {"money_back": "1"}, {"money_back": "2"}]
    assert {event.status for event in events} == {"pending"}


def test_the_order_of_another_user_cannot_be_locked(ana: User, bo: User) -> None:
    order = create(ana)
    with pytest.raises(NotFound), transaction.atomic():
        lock_order(bo.id, order.id)


@pytest.mark.django_db(transaction=True)
def test_who_locks_an_order_sees_what_the_one_before_made_of_it(ana: User) -> None:
    order_id = create(ana).id

    def look() -> str:
        with transaction.atomic():
            return lock_order(ana.id, order_id).order_status

    with ExitStack() as threads:
        with transaction.atomic():
            first = lock_order(ana.id, order_id)
            (second,) = threads.enter_context(beside(look))
            with pytest.raises(NotYet):
                second.result(timeout=0.5)
            first.become("paid")
        assert second.result(timeout=PATIENCE) == "paid"
