"""The guards of an order, seen without HTTP and with real simultaneous transactions."""

from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from sharding.ids import new_id
from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.carts.models import ShoppingCart
from shop.carts.services import add_item, remove_item
from shop.checkout.errors import CartEmpty, TooManyUnpaidOrders
from shop.checkout.services import cancel_order, pay_order, place_order
from shop.core.errors import TooManyLines
from shop.inventory.errors import InsufficientStock
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.payments.errors import AmountNotPayable
from shop.payments.models import Payment
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.concurrency import PATIENCE, beside

pytestmark = pytest.mark.django_db


def place(user_id: UUID) -> Order:
    with transaction.atomic():
        return place_order(user_id=user_id, payment_method="card")


def test_a_cart_becomes_an_order_once(ana: User, make_product: MakeProduct) -> None:
    """Even if the cart came back: the order keeps its cart's id, unique per user."""
    product = make_product(stock=5)
    add_item(user_id=ana.id, product_id=product.id, quantity=1)
    cart = ShoppingCart.objects.for_user(ana.id).get()
    place(ana.id)
    ShoppingCart.objects.create(user_id=ana.id, id=cart.id)
    add_item(user_id=ana.id, product_id=product.id, quantity=1)
    with pytest.raises(IntegrityError):
        place(ana.id)
    assert Order.objects.for_user(ana.id).count() == 1
    assert available(product.id) == 4


def test_a_cart_from_before_the_limit_is_not_ordered_until_it_is_shorter(
    ana: User, make_product: MakeProduct, settings: Any
) -> None:
    products = [make_product(name, stock=5).id for name in "abc"]
    items = [add_item(user_id=ana.id, product_id=pid, quantity=1) for pid in products]
    settings.MAX_LINES = 2
    with pytest.raises(TooManyLines, match="2 lines at most"):
        place(ana.id)
    assert [available(pid) for pid in products] == [5, 5, 5]
    remove_item(user_id=ana.id, item_id=items[0].id)
    place(ana.id)
    assert [available(pid) for pid in products] == [5, 4, 4]


def test_a_user_has_so_many_unpaid_orders_and_no_more(
    ana: User, bo: User, make_product: MakeProduct, settings: Any
) -> None:
    settings.MAX_UNPAID_ORDERS = 2
    product = make_product(stock=9)
    orders = []
    for user in (ana, ana, bo):
        add_item(user_id=user.id, product_id=product.id, quantity=1)
        orders.append(place(user.id))
    add_item(user_id=ana.id, product_id=product.id, quantity=1)
    with pytest.raises(TooManyUnpaidOrders):
        place(ana.id)
    assert available(product.id) == 6
    cancel_order(user_id=ana.id, order_id=orders[0].id, check=lambda _: None)
    place(ana.id)
    assert available(product.id) == 6


@pytest.mark.parametrize(
    ("currency", "price", "members"),
    [
        ("EUR", "0.30", {"minimum": "0.50", "step": "0.01", "currency": "EUR"}),
        ("JPY", "120.50", {"minimum": "50", "step": "1", "currency": "JPY"}),
    ],
    ids=["too small", "a fraction"],
)
def test_what_the_gateway_would_not_take_is_refused_when_it_is_ordered(
    ana: User,
    make_product: MakeProduct,
    settings: Any,
    currency: str,
    price: str,
    members: dict[str, str],
) -> None:
    settings.PAYMENT_GATEWAY, settings.CURRENCY = "stripe", currency
    product = make_product(price=price, stock=1)
    add_item(user_id=ana.id, product_id=product.id, quantity=1)
    with pytest.raises(AmountNotPayable) as caught:
        place(ana.id)
    assert caught.value.extra == members
    assert (Order.objects.for_user(ana.id).count(), available(product.id)) == (0, 1)
    with transaction.atomic():  # a bank takes any amount
        order = place_order(user_id=ana.id, payment_method="bank_transfer")
    Payment.objects.for_user(ana.id).get().become("failed")
    with pytest.raises(AmountNotPayable), transaction.atomic():
        pay_order(user_id=ana.id, order_id=order.id, payment_method="card")


def test_a_user_without_a_cart_orders_nothing() -> None:
    with pytest.raises(CartEmpty):
        place(new_id())


@pytest.mark.django_db(transaction=True)
def test_more_buyers_than_units_sell_exactly_the_units(make_product: MakeProduct) -> None:
    product = make_product(stock=3)
    buyers = [
        accounts.register(username=f"u{n}", email=f"u{n}@example.com", password=PASSWORD).id
        for n in range(8)
    ]
    for buyer in buyers:
        add_item(user_id=buyer, product_id=product.id, quantity=1)
    start = Barrier(len(buyers), timeout=PATIENCE)

    def buy(user_id: UUID) -> bool:
        start.wait()
        try:
            place(user_id)
        except InsufficientStock:
            return False
        return True

    with beside(*[lambda buyer=buyer: buy(buyer) for buyer in buyers]) as bought:
        pass
    assert sorted(done.result() for done in bought) == [False] * 5 + [True] * 3
    assert Order.objects.cross_shard().count() == 3
    assert available(product.id) == 0
    assert drift() == []


@pytest.mark.django_db(transaction=True)
def test_a_cart_ordered_many_times_at_once_is_one_order(
    ana: User, make_product: MakeProduct
) -> None:
    product = make_product(stock=50)
    add_item(user_id=ana.id, product_id=product.id, quantity=1)
    start = Barrier(8, timeout=PATIENCE)

    def buy() -> bool:
        start.wait()
        try:
            place(ana.id)
        except CartEmpty:
            return False
        return True

    with beside(*[buy] * 8) as bought:
        pass
    assert [done.result() for done in bought].count(True) == 1
    assert available(product.id) == 49
