"""The orders of all users, for staff."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from sharding.django.cluster import shard_count
from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.models import Order
from shop.orders.services import create_order
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

ORDERS = "/api/staff/orders/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def staff(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def order_of(user: User, status: str = "pending", at: datetime = NOON) -> str:
    order = create_order(user_id=user.id, order_id=new_id(), cart_id=new_id(), lines=[])
    row = Order.objects.for_user(user.id).filter(id=order.id)
    row.update(order_status=status, created_at=at)
    return str(order.id)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_staff_see_the_orders_of_all_users_the_newest_first(
    ana: User, bo: User, cleo: User, staff: APIClient
) -> None:
    made = [order_of(user) for user in (ana, bo, cleo, ana)]
    response = staff.get(ORDERS)
    assert ids(response) == made[::-1]
    newest = response.json()["results"][0]
    assert newest.keys() == {
        "user_id",
        "id",
        "order_status",
        "total_amount",
        "currency",
        "created_at",
        "updated_at",
    }
    assert newest["user_id"] == str(ana.id)


def test_the_list_is_paged_over_all_shards(
    ana: User, bo: User, cleo: User, staff: APIClient
) -> None:
    made = [order_of(user) for user in (ana, bo, cleo) * 3]
    seen, url = [], f"{ORDERS}?page_size=2"
    while url:
        page = staff.get(url)
        seen += ids(page)
        url = page.json()["next"]
    assert seen == made[::-1]


def test_the_list_is_narrowed_by_status_user_and_time(
    ana: User, bo: User, staff: APIClient
) -> None:
    early = order_of(ana, "paid", NOON - timedelta(days=1))
    late = order_of(ana, "pending", NOON + timedelta(days=1))
    other = order_of(bo, "paid")
    noon = quote(NOON.isoformat())
    assert ids(staff.get(f"{ORDERS}?status=paid")) == [other, early]
    assert ids(staff.get(f"{ORDERS}?user_id={ana.id}")) == [late, early]
    assert ids(staff.get(f"{ORDERS}?user_id={ana.id}&status=paid")) == [early]
    assert ids(staff.get(f"{ORDERS}?created_after={noon}")) == [late]
    assert ids(staff.get(f"{ORDERS}?created_before={noon}")) == [early]
    assert ids(staff.get(f"{ORDERS}?user_id={new_id()}")) == []


def test_the_answer_says_how_many_shards_it_took(ana: User, staff: APIClient) -> None:
    order_of(ana)
    assert staff.get(ORDERS).headers["X-Shards-Asked"] == str(shard_count(Order))
    assert staff.get(f"{ORDERS}?user_id={ana.id}").headers["X-Shards-Asked"] == "1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"),
        ("user_id", "1"),
        ("created_after", "yesterday"),
        ("created_before", "2026-13-01"),
    ],
)
def test_an_unacceptable_filter_is_named(staff: APIClient, name: str, value: str) -> None:
    assert invalid_fields(staff.get(ORDERS, {name: value})) == {name}


def test_a_cursor_is_of_no_use_with_other_filters(ana: User, bo: User, staff: APIClient) -> None:
    for user in (ana, bo, ana):
        order_of(user)
    following = staff.get(f"{ORDERS}?page_size=1").json()["next"]
    assert invalid_fields(staff.get(f"{following}&user_id={ana.id}")) == {"cursor"}


def test_customers_do_not_get_in(ana: User, as_user: Callable[[User], APIClient]) -> None:
    assert_problem(as_user(ana).get(ORDERS), 403, "permission_denied")
