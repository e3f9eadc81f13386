"""Nobody pays what they have not seen: what the customer agreed to, and the cart they looked at."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product
from shop.catalog.services import update_product
from shop.core.conditional import unconditional
from shop.inventory.selectors import available
from shop.orders.models import Order
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

CART = "/api/cart/"


def reprice(product: Product, price: str) -> None:
    update_product(product.id, {"price": Decimal(price)}, check=unconditional)


def test_nobody_is_charged_what_they_have_not_agreed_to(
    ana: User, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    atlas = make_product("Atlas", price="10.00", stock=5)
    fill({atlas: 2})
    reprice(atlas, "999.00")
    refused = order(expected_total="20.00")
    assert_problem(refused, 409, "price_changed")
    assert refused.json()["total_amount"] == "1998.00"
    assert not Order.objects.for_user(ana.id).exists()
    assert available(atlas.id) == 5
    agreed = order(expected_total="1998.00")
    assert (agreed.status_code, agreed.json()["total_amount"]) == (201, "1998.00")


@pytest.mark.parametrize("total", ["-1.00", "1.001", "a lot", None])
def test_an_expected_total_is_an_amount_of_money(order: Any, total: object) -> None:
    assert invalid_fields(order(expected_total=total)) == {"expected_total"}


def test_only_the_cart_that_was_seen_is_ordered(
    ana: User, shopper: APIClient, make_product: MakeProduct, fill: Any, order: Any
) -> None:
    atlas = make_product("Atlas", price="10.00", stock=5)
    fill({atlas: 1})
    seen = shopper.get(CART).headers["ETag"]
    reprice(atlas, "999.00")
    assert_problem(order(if_match=seen), 412, "precondition_failed")
    assert not Order.objects.for_user(ana.id).exists()
    now = shopper.get(CART).headers["ETag"]
    assert order(if_match=now).status_code == 201
    assert order(if_match=now).headers["Idempotent-Replayed"] == "true"
