"""The caller's orders, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.models import Order
from shop.orders.services import Line, create_order
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem

pytestmark = pytest.mark.django_db

ORDERS = "/api/orders/"
MakeOrder = Callable[..., Order]


@pytest.fixture
def make_order(make_product: MakeProduct) -> MakeOrder:
    """Make an order of a user's, with a line for each of these quantities."""
    made: list[Any] = []

    def make(user: User, *quantities: int) -> Order:
        while len(made) < len(quantities):
            made.append(make_product(f"Book {len(made)}", price="2.50"))
        lines = [Line(p.id, p.name, q, p.price) for p, q in zip(made, quantities, strict=False)]
        return create_order(user_id=user.id, order_id=new_id(), cart_id=new_id(), lines=lines)

    return make


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


def test_without_orders_the_history_is_empty(shopper: APIClient) -> None:
    assert shopper.get(ORDERS).json() == {"next": None, "previous": None, "results": []}


def test_the_history_shows_the_newest_order_first_with_its_lines(
    ana: User, shopper: APIClient, make_order: MakeOrder
) -> None:
    older, newer = make_order(ana, 1), make_order(ana, 2, 3)
    rows = shopper.get(ORDERS).json()["results"]
    assert [row["id"] for row in rows] == [str(newer.id), str(older.id)]
    assert [sorted(i["quantity"] for i in row["items"]) for row in rows] == [[2, 3], [1]]
    assert [row["total_amount"] for row in rows] == ["12.50", "2.50"]


def test_the_history_is_paged(ana: User, shopper: APIClient, make_order: MakeOrder) -> None:
    made = [str(make_order(ana, 1).id) for _ in range(5)]
    seen, url = [], f"{ORDERS}?page_size=2"
    while url:
        page = shopper.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == made[::-1]


def test_an_order_shows_its_fields(ana: User, shopper: APIClient, make_order: MakeOrder) -> None:
    order = make_order(ana, 2)
    body = shopper.get(f"{ORDERS}{order.id}/").json()
    assert body.pop("created_at") <= body.pop("updated_at")
    (item,) = body.pop("items")
    assert body == {
        "id": str(order.id),
        "order_status": "pending",
        "payment_status": "",  # as it is without a payment, which only a test makes
        "total_amount": "5.00",
        "currency": "EUR",
    }
    assert {name: item[name] for name in ("product_name", "quantity", "price")} == {
        "product_name": "Book 0",
        "quantity": 2,
        "price": "2.50",
    }
    assert shopper.get(f"{ORDERS}{order.id}/items/").json() == [item]
    assert shopper.get(ORDERS).json()["results"][0]["items"] == [item]


@pytest.mark.parametrize("tail", ["", "items/"])
def test_an_order_that_nobody_or_another_user_has_is_not_found(
    shopper: APIClient, bo: User, make_order: MakeOrder, tail: str
) -> None:
    for order_id in (make_order(bo, 1).id, new_id()):
        assert_problem(shopper.get(f"{ORDERS}{order_id}/{tail}"), 404, "not_found")


@pytest.mark.parametrize("order_id", ["1", "x", "00000000-0000-0000-0000-00000000000"])
def test_what_is_no_orders_id_is_not_found(shopper: APIClient, order_id: str) -> None:
    assert_problem(shopper.get(f"{ORDERS}{order_id}/"), 404, "not_found")


def test_the_orders_of_another_user_are_invisible(
    shopper: APIClient, bo: User, make_order: MakeOrder
) -> None:
    make_order(bo, 1)
    assert shopper.get(ORDERS).json()["results"] == []


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_an_order_cannot_be_changed_by_hand(
    ana: User, shopper: APIClient, make_order: MakeOrder, method: str
) -> None:
    order = make_order(ana, 1)
    response = getattr(shopper, method)(f"{ORDERS}{order.id}/", {"order_status": "paid"})
    assert_problem(response, 405, "method_not_allowed")
    order.refresh_from_db()
    assert order.order_status == "pending"
