"""What staff are told of the shards that a lookup asked is what Citus does."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.services import create_order
from tests.cluster.plans import Plan, recorded
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

ORDERS = "/api/staff/orders/"


@pytest.fixture
def staff(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def widest(plans: list[Plan]) -> int:
    return max(plan.shards for plan in plans if "orders_order" in plan.tables)


@pytest.mark.parametrize("query", ["", "?status=paid", "?created_after=2026-01-01T00:00:00Z"])
def test_a_list_over_all_users_asks_every_shard_and_says_so(staff: APIClient, query: str) -> None:
    with recorded() as plans:
        response = staff.get(f"{ORDERS}{query}")
    assert int(response.headers["X-Shards-Asked"]) == widest(plans) > 1


def test_a_list_of_one_users_orders_asks_one_shard(ana: User, staff: APIClient) -> None:
    with recorded() as plans:
        response = staff.get(f"{ORDERS}?user_id={ana.id}&status=pending")
    assert int(response.headers["X-Shards-Asked"]) == widest(plans) == 1


def test_a_number_alone_leads_to_an_order_and_to_a_payment_by_single_shards(
    ana: User, staff: APIClient, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    shopper = as_user(ana)
    shopper.post("/api/cart/items/", {"product_id": make_product(stock=1).id})
    key = {"Idempotency-Key": "one"}
    order = shopper.post("/api/orders/", {"payment_method": "card"}, headers=key).json()
    (payment,) = shopper.get(f"/api/orders/{order['id']}/payments/").json()
    with recorded() as plans:
        assert staff.get(f"{ORDERS}{order['id']}/").status_code == 200
        refused = staff.post(f"/api/payments/{payment['id']}/refund/", {}, headers=key)
    assert refused.json()["code"] == "invalid_transition"  # it is not paid yet
    assert {plan.shards for plan in plans if plan.is_distributed} == {1}
    finding = [plan for plan in plans if "accounts_mark" in plan.tables]
    assert len(finding) == 2  # one for each number


def test_one_order_with_all_that_belongs_to_it_is_on_one_shard(ana: User, staff: APIClient) -> None:
    order = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])
    path = f"{ORDERS}{ana.id}/{order.id}/"
    with recorded() as plans:
        assert staff.get(path).status_code == 200
        assert staff.patch(path, {"order_status": "cancelled"}).status_code == 200
    assert {plan.shards for plan in plans if plan.is_distributed} == {1}
