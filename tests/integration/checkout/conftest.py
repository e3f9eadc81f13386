"""A shopper with a filled cart."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product

Fill: TypeAlias = Callable[..., None]
Order: TypeAlias = Callable[..., Any]


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


@pytest.fixture
def fill(shopper: APIClient) -> Fill:
    """Put products into Ana's cart, each in its quantity."""

    def put(quantities: dict[Product, int]) -> None:
        for product, quantity in quantities.items():
            body = {"product_id": product.id, "quantity": quantity}
            assert shopper.post("/api/cart/items/", body).status_code == 201

    return put


@pytest.fixture
def order(shopper: APIClient) -> Order:
    """Order what is in Ana's cart, under a key."""

    def post(key: str | None = "key-1", **changes: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return shopper.post("/api/orders/", {"payment_method": "card"} | changes, headers=headers)

    return post
