"""What people do with reviews, in the words of the tests."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product
from shop.orders.models import Order

Buy = Callable[..., Order]


@pytest.fixture
def buy(as_user: Callable[[User], APIClient]) -> Buy:
    """Let a user order a product, and bring the order to a status."""

    def order(user: User, product: Product, status: str) -> Order:
        client = as_user(user)
        client.post("/api/cart/items/", {"product_id": product.id})
        key = {"Idempotency-Key": f"{product.id} {status}"}
        body: dict[str, Any] = {"payment_method": "card", "payment_token": "tok_success"}
        placed = client.post("/api/orders/", body, headers=key)
        assert placed.status_code == 201, placed.content
        found = Order.objects.for_user(user.id).filter(id=placed.json()["id"])
        found.update(order_status=status)
        return found.get()

    return order
