"""What staff are told of the shards that a lookup asked is what Citus does."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.services import create_order
from tests.cluster.plans import Plan, recorded

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


def test_one_order_with_all_that_belongs_to_it_is_on_one_shard(ana: User, staff: APIClient) -> None:
    order = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])
    path = f"{ORDERS}{ana.id}/{order.id}/"
    with recorded() as plans:
        assert staff.get(path).status_code == 200
        assert staff.patch(path, {"order_status": "cancelled"}).status_code == 200
    assert {plan.shards for plan in plans if plan.is_distributed} == {1}
