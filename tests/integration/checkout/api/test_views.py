"""Turning a cart into an order, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.carts.models import MAX_QUANTITY, CartItem, ShoppingCart
from shop.core.models import IdempotencyKey, OutboxEvent
from shop.inventory.models import StockMovement
from shop.inventory.selectors import available, drift
from shop.inventory.services import adjust
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

# Every table that an order writes to.
WRITTEN = (Order, OrderItem, OrderEvent, Payment, OutboxEvent, IdempotencyKey)


def counts(user: User) -> dict[str, int]:
    return {model.__name__: model.objects.for_user(user.id).count() for model in WRITTEN}


NOTHING = {model.__name__: 0 for model in WRITTEN}


def test_an_order_writes_a_row_of_everything(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    atlas, novel = make_product("Atlas", price="30.00", stock=5), make_product("Novel", stock=1)
    fill({atlas: 2, novel: 1})
    cart = ShoppingCart.objects.for_user(ana.id).get()
    response = order(payment_token="tok_success")
    assert response.status_code == 201, response.content

    placed = Order.objects.for_user(ana.id).get()
    assert (placed.order_status, str(placed.total_amount)) == ("pending", "70.00")
    assert placed.cart_id == cart.id
    items = OrderItem.objects.for_user(ana.id).filter(order_id=placed.id).order_by("id")
    assert [(i.product_id, i.product_name, i.quantity, str(i.price)) for i in items] == [
        (atlas.id, "Atlas", 2, "30.00"),
        (novel.id, "Novel", 1, "10.00"),
    ]
    event = OrderEvent.objects.for_user(ana.id).get()
    assert (event.order_id, event.status) == (placed.id, "pending")
    payment = Payment.objects.for_user(ana.id).get()
    assert (payment.order_id, payment.status, payment.payment_method) == (
        placed.id,
        "pending",
        "card",
    )
    assert (payment.amount, payment.token) == (placed.total_amount, "tok_success")
    told = OutboxEvent.objects.for_user(ana.id).get()
    assert (told.topic, told.payload) == ("order.placed", {"order_id": str(placed.id)})
    assert told.published_at is None
    key = IdempotencyKey.objects.for_user(ana.id).get()
    assert (key.key, key.status) == ("key-1", 201)
    for product, delta in ((atlas, -2), (novel, -1)):
        taken = StockMovement.objects.for_product(product.id).get(order_id=placed.id)
        assert (taken.delta, taken.reason) == (delta, "order")
    assert not ShoppingCart.objects.for_user(ana.id).exists()
    assert not CartItem.objects.for_user(ana.id).exists()


def test_the_answer_shows_the_order(
    shopper: APIClient, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product("Atlas", price="30.00", stock=5)
    fill({product: 2})
    response = order()
    body = response.json()
    assert response.headers["Location"] == f"/api/orders/{body['id']}/"
    assert "Idempotent-Replayed" not in response.headers
    assert shopper.get(response.headers["Location"]).json() == body
    (item,) = body.pop("items")
    assert isinstance(item.pop("id"), str)
    assert item == {
        "product_id": product.id,
        "product_name": "Atlas",
        "quantity": 2,
        "price": "30.00",
    }
    assert (body["order_status"], body["total_amount"]) == ("pending", "60.00")


def test_an_order_takes_its_units_from_the_stock(
    make_product: MakeProduct, fill: Any, order: Any
) -> None:
    some, last = make_product("a", stock=5), make_product("b", stock=2)
    fill({some: 3, last: 2})
    assert order().status_code == 201
    assert (available(some.id), available(last.id)) == (2, 0)
    assert drift() == []


def test_an_order_keeps_its_prices_and_names(
    shopper: APIClient, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product("Atlas", price="30.00", stock=5)
    fill({product: 1})
    before = order().json()
    product.name, product.price = "Other", 99
    product.save()
    assert shopper.get(f"/api/orders/{before['id']}/").json() == before


def test_too_little_stock_names_every_short_line_and_changes_nothing(
    ana: User, shopper: APIClient, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    enough, short, none = make_product("a", stock=9), make_product("b", stock=1), make_product("c")
    fill({enough: 2, short: 2, none: 1})
    cart = shopper.get("/api/cart/").json()
    body = assert_problem(order(), 409, "insufficient_stock")
    assert body["lines"] == [
        {"product_id": short.id, "requested": 2, "available": 1},
        {"product_id": none.id, "requested": 1, "available": 0},
    ]
    assert counts(ana) == NOTHING
    assert [available(p.id) for p in (enough, short, none)] == [9, 1, 0]
    assert drift() == []
    assert shopper.get("/api/cart/").json() == cart


def test_after_too_little_stock_the_same_key_may_succeed(
    make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product()
    fill({product: 1})
    assert_problem(order(), 409, "insufficient_stock")
    adjust(product_id=product.id, delta=1, reason="receipt")
    response = order()
    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers


def test_an_empty_cart_is_a_conflict(
    ana: User, shopper: APIClient, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    assert_problem(order(), 409, "cart_empty")
    fill({make_product(): 1})
    (line,) = shopper.get("/api/cart/items/").json()
    shopper.delete(f"/api/cart/items/{line['id']}/")
    assert_problem(order(), 409, "cart_empty")
    assert counts(ana) == NOTHING


@pytest.mark.parametrize("key", [None, "", "  ", "x" * 256, "a\x01b"])
def test_without_a_usable_key_nothing_is_ordered(
    ana: User, make_product: MakeProduct, fill: Any, order: Any, key: str | None
) -> None:
    fill({make_product(stock=1): 1})
    assert_problem(order(key), 400, "idempotency_key_missing")
    assert counts(ana) == NOTHING


@pytest.mark.parametrize("key", ["a", "x" * 255, "6f6d0b9e-7d8c"])
def test_a_key_may_be_of_any_form(
    make_product: MakeProduct, fill: Any, order: Any, key: str
) -> None:
    fill({make_product(stock=1): 1})
    assert order(key).status_code == 201


def test_the_same_request_again_gets_the_identical_answer(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product(stock=5)
    fill({product: 1})
    first, second = order(), order()
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert counts(ana) == dict.fromkeys(NOTHING, 1)
    assert available(product.id) == 4


def test_the_answer_comes_again_even_when_the_cart_is_full_once_more(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product(stock=5)
    fill({product: 1})
    first = order()
    fill({product: 2})
    assert order().content == first.content
    assert order("key-2").json()["total_amount"] == "20.00"
    assert available(product.id) == 2


@pytest.mark.parametrize("changes", [{"payment_method": "paypal"}, {"payment_token": "tok_other"}])
def test_the_same_key_with_another_body_is_refused(
    ana: User, make_product: MakeProduct, fill: Any, order: Any, changes: dict[str, str]
) -> None:
    fill({make_product(stock=5): 1})
    order()
    assert_problem(order(**changes), 422, "idempotency_key_reused")
    assert counts(ana)["Order"] == 1


def test_what_was_ordered_cannot_be_ordered_again(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    fill({make_product(stock=5): 1})
    order()
    assert_problem(order("key-2"), 409, "cart_empty")
    assert counts(ana)["Order"] == 1


def test_the_key_of_one_user_means_nothing_to_another(
    ana: User,
    bo: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    fill: Any,
    order: Any,
) -> None:
    product = make_product(stock=5)
    fill({product: 1})
    order()
    client = as_user(bo)
    client.post("/api/cart/items/", {"product_id": product.id})
    headers = {"Idempotency-Key": "key-1"}
    response = client.post("/api/orders/", {"payment_method": "card"}, headers=headers)
    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers
    assert (counts(ana)["Order"], counts(bo)["Order"]) == (1, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payment_method", None),
        ("payment_method", "cash"),
        ("payment_method", ""),
        ("payment_method", ["card"]),
        ("payment_token", "x" * 256),
        ("payment_token", "a\0"),
        ("payment_token", ""),
        ("payment_token", None),
        ("payment_token", {}),
    ],
)
def test_an_unacceptable_field_is_named(
    ana: User, make_product: MakeProduct, fill: Any, order: Any, field: str, value: Any
) -> None:
    fill({make_product(stock=1): 1})
    assert invalid_fields(order(**{field: value})) == {field}
    assert counts(ana) == NOTHING


def test_the_dearest_order_that_a_cart_can_hold_is_placed(
    make_product: MakeProduct, fill: Any, order: Any
) -> None:
    product = make_product(price="9999999999.99", stock=MAX_QUANTITY)
    fill({product: MAX_QUANTITY})
    response = order()
    assert response.status_code == 201, response.content
    assert response.json()["total_amount"] == "9989999999990.01"


def test_a_closed_account_orders_nothing(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    fill({make_product(stock=1): 1})
    User.objects.for_user(ana.id).update(is_active=False)
    assert_problem(order(), 403, "account_closed")
    assert counts(ana) == NOTHING
