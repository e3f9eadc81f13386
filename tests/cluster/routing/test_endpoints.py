"""With routing on, what a user asks for is answered by the node that holds the user."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
from django.db import connections
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from sharding.django.transactions import open_alias
from shop.accounts.models import User
from shop.catalog.models import Product
from tests.cluster.plans import REFERENCE_TABLES, TABLE
from tests.cluster.routing.conftest import shard_of, watched
from tests.cluster.test_plans import SECRET, Journey
from tests.conftest import MakeProduct

# What lies on other shards by design: the claimed names, the stock, and the reviews of products.
OF_OTHER_KEYS = {
    "accounts_identity",
    "accounts_mark",
    "inventory_stock",
    "inventory_stockmovement",
    "reviews_review",
}
OF_USERS = ("api/users/me/", "api/cart/", "api/wishlist/", "api/orders/", "api/payments/")


Address = tuple[str, str]  # host and port
NODE = re.compile(r"Node: host=(\S+) port=(\d+)")


@dataclass(frozen=True)
class Sent:
    """A statement on tables of ours: by which request, on which alias, to which nodes' shards."""

    endpoint: str
    alias: str
    in_transaction: bool
    tables: frozenset[str]
    nodes: frozenset[Address]
    sql: str

    @property
    def is_local(self) -> bool:
        """Whether all its shards are on the node that was asked."""
        asked = connections[self.alias].settings_dict
        return self.nodes <= {(asked["HOST"], str(asked["PORT"]))}


class RoutedJourney(Journey):
    """The journey of test_plans, seen from every alias."""

    endpoint = ""

    def ask(self, method: str, route: str, data: object = None, **kwargs: object) -> dict:
        self.endpoint = f"{method} {route}"
        return super().ask(method, route, data, **kwargs)


class Observer:
    """Asks the node that a statement goes to for its plan, over a connection of its own."""

    def __init__(self, journey: RoutedJourney) -> None:
        self.journey, self.sent = journey, list[Sent]()
        self._planners: dict[str, Any] = {}

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        tables = frozenset(TABLE.findall(sql))
        if tables and self.journey.endpoint:
            alias = context["connection"].alias
            nodes = self._nodes(alias, sql, params)
            followed = open_alias() is not None
            self.sent.append(Sent(self.journey.endpoint, alias, followed, tables, nodes, sql))
        return execute(sql, params, many, context)

    def _nodes(self, alias: str, sql: str, params: Any) -> frozenset[Address]:
        if alias not in self._planners:
            planner = psycopg2.connect(**connections[alias].get_connection_params())
            planner.autocommit = True
            self._planners[alias] = planner
        with self._planners[alias].cursor() as cursor:
            cursor.execute("SET citus.explain_all_tasks TO on")
            cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
            found = [NODE.search(line) for (line,) in cursor.fetchall()]
        return frozenset((node[1], node[2]) for node in found if node)

    def close(self) -> None:
        for planner in self._planners.values():
            planner.close()


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the one journey of this module was seen to send."""
    return {}


@pytest.fixture
def travelled(
    seen: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    ana: User,
    client: APIClient,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    settings: Any,
) -> list[Sent]:
    # All tables are written to, so all are flushed afterwards.
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", REAL_TEARDOWN)
    settings.PAYMENT_WEBHOOK_SECRET = SECRET
    products: list[Product] = [make_product(f"Book {number}", stock=10) for number in range(3)]
    journey = RoutedJourney(as_user(ana), client, [one.id for one in products], ana.id)
    observer = Observer(journey)
    seen["home"] = f"node_{shard_of(ana.id).node.group_id}"
    with watched(observer):
        journey.travel()
    observer.close()
    return observer.sent


REAL_TEARDOWN = TransactionTestCase._fixture_teardown


def test_every_statement_of_a_user_runs_on_the_users_node(
    travelled: list[Sent], seen: dict[str, Any]
) -> None:
    of_users = [sent for sent in travelled if sent.endpoint.split()[1].startswith(OF_USERS)]
    assert len(of_users) > 100
    away = [
        (sent.endpoint, sent.alias, sent.sql)
        for sent in of_users
        if sent.alias != seen["home"] and not _is_of_other_keys(sent)
    ]
    assert away == []

    # And there it finds all its rows: the shards that it asks are that node's own.
    distributed = [sent for sent in travelled if sent.tables - REFERENCE_TABLES]
    assert len([sent for sent in distributed if sent.is_local]) > 100
    elsewhere = [
        (sent.endpoint, sent.alias, sent.nodes, sent.sql)
        for sent in distributed
        if not sent.is_local and not (_is_of_other_keys(sent) and _may_leave(sent))
    ]
    assert elsewhere == []


def _is_of_other_keys(sent: Sent) -> bool:
    return sent.tables - REFERENCE_TABLES <= OF_OTHER_KEYS


def _may_leave(sent: Sent) -> bool:
    """Inside the user's transaction, or asked of every shard because the user wants all reviews."""
    return sent.in_transaction or sent.endpoint == "GET api/users/me/export/"
