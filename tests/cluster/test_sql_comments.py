"""A comment that names a request changes neither Citus's plan nor PostgreSQL's statistics."""

from typing import Any

import pytest
from django.db import connection

from sharding.django.work import Work, doing
from shop.accounts.models import User
from shop.carts.models import ShoppingCart

pytestmark = [pytest.mark.cluster, pytest.mark.django_db]


class Request(Work):
    """A request with an id of its own."""

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.request_id = request_id

    def names(self) -> dict[str, str]:
        return {"request_id": self.request_id, "route": "/api/cart/"}


def test_a_commented_query_keeps_the_fast_path(ana: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages TO debug2")
    notices: list[str] = connection.connection.notices
    notices.clear()
    with doing(Request("one")) as work:
        list(ShoppingCart.objects.for_user(ana.id))
    assert work.queries == 1
    assert any("fast-path router query" in notice for notice in notices)


def test_the_query_id_leaves_the_comment_out(ana: User) -> None:
    assert identifier("one", ana) == identifier("two", ana) == identifier("", ana)


def identifier(request_id: str, user: User) -> Any:
    """Return PostgreSQL's id of a query, as its statistics group by it."""
    sql = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT id FROM catalog_product WHERE id = 1"
    with connection.cursor() as cursor, doing(Request(request_id)):
        cursor.execute("SET LOCAL compute_query_id TO on")
        cursor.execute(sql)
        ((plan,),) = cursor.fetchall()
    return plan[0]["Query Identifier"]
