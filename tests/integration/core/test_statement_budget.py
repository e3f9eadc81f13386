"""How many statements each of the main requests sends, BEGIN and COMMIT aside (design §10)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product
from tests.conftest import MakeProduct
from tests.integration.core.assertions import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


@pytest.fixture
def three(make_product: MakeProduct) -> list[Product]:
    return [make_product(name, stock=50) for name in "abc"]


def fill(client: APIClient, products: list[Product]) -> None:
    for product in products:
        assert client.post("/api/cart/items/", {"product_id": product.id}).status_code == 201


def order(client: APIClient, key: str) -> Any:
    headers = {"Idempotency-Key": key}
    return client.post("/api/orders/", {"payment_method": "card"}, headers=headers)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("query", ["", "?search=b&in_stock=true&ordering=price&min_price=1"])
def test_a_list_of_products_costs_one_statement(client: APIClient, query: str) -> None:
    with statements(1):
        response = client.get(f"/api/products/{query}")
    assert response.json()["results"]


def test_a_product_costs_one_statement(client: APIClient, three: list[Product]) -> None:
    with statements(1):
        assert client.get(f"/api/products/{three[0].id}/").status_code == 200


@pytest.mark.parametrize("orders", [1, 2, 5])
def test_a_history_with_lines_and_payments_costs_two_statements_for_any_number_of_orders(
    shopper: APIClient, three: list[Product], orders: int
) -> None:
    for number in range(orders):
        fill(shopper, three)
        assert order(shopper, f"key-{number}").status_code == 201
    with statements(2):
        rows = shopper.get("/api/orders/").json()["results"]
    assert [len(row["items"]) for row in rows] == [3] * orders


@pytest.mark.parametrize("again", [False, True])
def test_adding_to_the_cart_costs_three_statements(
    shopper: APIClient, three: list[Product], again: bool
) -> None:
    if again:
        fill(shopper, three)
    with statements(3):
        fill(shopper, three[:1])


def test_an_order_of_three_lines_costs_fourteen_statements(
    shopper: APIClient, three: list[Product]
) -> None:
    fill(shopper, three)
    with statements(14):
        assert order(shopper, "key-1").status_code == 201


def test_an_order_that_is_replayed_costs_one_statement(
    shopper: APIClient, three: list[Product]
) -> None:
    fill(shopper, three)
    order(shopper, "key-1")
    with statements(1):
        assert order(shopper, "key-1").headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("path", "limit"), [("/api/cart/", 2), ("/api/wishlist/", 2)])
def test_a_cart_and_a_wishlist_cost_two_statements(
    shopper: APIClient, three: list[Product], path: str, limit: int
) -> None:
    fill(shopper, three)
    with statements(limit):
        assert shopper.get(path).status_code == 200
