"""Every query of every user endpoint asks one shard."""

from collections.abc import Callable

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from shop.accounts.models import User
from tests.cluster.plans import Plan, recorded
from tests.conftest import PASSWORD, MakeProduct

pytestmark = pytest.mark.django_db

NEW = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
ORDER = {"payment_method": "card"}
KEY = {"HTTP_IDEMPOTENCY_KEY": "k"}
FOR_STAFF = {"POST api/categories/", "POST api/products/"}


class Journey:
    """Ana's way through every endpoint, with the plans of what each request sent."""

    def __init__(self, ana: APIClient, client: APIClient, product_ids: list[int]) -> None:
        self.ana, self.client, self.product_ids = ana, client, product_ids
        self.plans: dict[str, list[Plan]] = {}

    def ask(self, method: str, route: str, data: object = None, **kwargs: object) -> dict:
        """Send a request; `route` is the URL pattern, `ids` fill its parameters in turn."""
        ids = list(kwargs.pop("ids", []))
        path = "/" + "".join(
            str(ids.pop(0)) if part.startswith("<") else part for part in _parts(route)
        )
        client = self.client if route.startswith("api/auth/") else self.ana
        with recorded() as plans:
            response = getattr(client, method.lower())(path, data, **kwargs)
        assert response.status_code < 300, (method, route, response.data)
        self.plans.setdefault(f"{method} {route}", []).extend(plans)
        return response.data

    def travel(self) -> None:
        first, second, third = self.product_ids
        tokens = self.ask("POST", "api/auth/register/", NEW)
        self.ask("POST", "api/auth/login/", {"email": NEW["email"], "password": PASSWORD})
        self.ask("POST", "api/auth/refresh/", {"refresh": tokens["refresh"]})
        category = self.ask("GET", "api/categories/")["results"][0]["id"]
        self.ask("GET", "api/categories/<int:category_id>/", ids=[category])
        everything = {"category": category, "search": "book", "min_price": 1, "in_stock": True}
        self.ask("GET", "api/products/", everything | {"ordering": "price", "page_size": 1})
        self.ask("GET", "api/products/<int:product_id>/", ids=[first])
        self.ask("GET", "api/cart/")
        for product_id in (first, second, third, first):
            added = {"product_id": product_id}
            line = self.ask("POST", "api/cart/items/", added)
        self.ask("GET", "api/cart/items/")
        one_line = "api/cart/items/<uuid:item_id>/"
        self.ask("PATCH", one_line, {"quantity": 2}, ids=[line["id"]])
        self.ask("GET", "api/cart/")
        order = self.ask("POST", "api/orders/", ORDER, **KEY)
        self.ask("POST", "api/orders/", ORDER, **KEY)
        self.ask("POST", "api/cart/items/", {"product_id": second})
        self.ask("POST", "api/orders/", ORDER, HTTP_IDEMPOTENCY_KEY="another")
        self.ask("GET", "api/orders/")
        self.ask("GET", "api/orders/<uuid:order_id>/", ids=[order["id"]])
        self.ask("GET", "api/orders/<uuid:order_id>/items/", ids=[order["id"]])
        line = self.ask("POST", "api/cart/items/", {"product_id": first})
        self.ask("DELETE", one_line, ids=[line["id"]])
        self.ask("DELETE", "api/cart/")
        wish = self.ask("POST", "api/wishlist/items/", {"product_id": first})
        self.ask("GET", "api/wishlist/")
        self.ask("GET", "api/wishlist/items/")
        self.ask("DELETE", "api/wishlist/items/<uuid:item_id>/", ids=[wish["id"]])
        self.ask("DELETE", "api/wishlist/")


@pytest.fixture
def journey(
    ana: User,
    client: APIClient,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
) -> Journey:
    products = [make_product(f"Book {number}", stock=10) for number in range(3)]
    travelled = Journey(as_user(ana), client, [product.id for product in products])
    travelled.travel()
    return travelled


def test_the_journey_visits_every_endpoint_that_users_have(journey: Journey) -> None:
    offered = {f"{method} {route}" for route, methods in _routes() for method in methods}
    assert offered - set(journey.plans) - FOR_STAFF == set()


def test_every_query_of_every_endpoint_asks_one_shard(journey: Journey) -> None:
    wide = [
        (endpoint, plan.shards, plan.sql)
        for endpoint, plans in journey.plans.items()
        for plan in plans
        if plan.is_distributed and plan.shards != 1 and not _is_ledger_of_order(endpoint, plan)
    ]
    assert wide == []


def test_only_the_ledger_of_an_order_is_written_to_several_shards(journey: Journey) -> None:
    """One statement for all lines: each line's entry belongs to the shard of its product."""
    placed = journey.plans["POST api/orders/"]
    ledger = [plan for plan in placed if _is_ledger_of_order("POST api/orders/", plan)]
    assert len(ledger) == 2
    assert all(1 <= plan.shards <= 3 for plan in ledger)


def test_statements_on_one_table_by_its_key_take_the_fast_path(journey: Journey) -> None:
    promised = [
        plan for plans in journey.plans.values() for plan in plans if _promises_fast_path(plan)
    ]
    assert len(promised) > 20
    assert [plan.sql for plan in promised if not plan.fast_path] == []


def _promises_fast_path(plan: Plan) -> bool:
    """Tell whether a statement reads or changes rows of one table by its key: design §3.

    INSERTs have no predicate; Citus routes them by their values, with no fast path to lose. The
    lines of several orders are read by a list of keys, all of one user: one shard, planned in full.
    """
    by_key = plan.sql.startswith(("SELECT", "UPDATE", "DELETE")) and " IN (" not in plan.sql
    return by_key and plan.is_distributed and len(plan.tables) == 1


def _is_ledger_of_order(endpoint: str, plan: Plan) -> bool:
    is_ledger = plan.sql.startswith('INSERT INTO "inventory_stockmovement"')
    return endpoint == "POST api/orders/" and is_ledger


def _parts(route: str) -> list[str]:
    return [part for part in route.replace("<", "\0<").replace(">", ">\0").split("\0") if part]


def _routes() -> list[tuple[str, set[str]]]:
    """Every route of the API with its methods, staff-only paths left out."""
    found: list[tuple[str, set[str]]] = []

    def walk(prefix: str, patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(route, pattern.url_patterns)
            elif route.startswith("api/") and "stock" not in route:
                view = pattern.callback.view_class  # type: ignore[attr-defined]
                offered = {name.upper() for name in view.http_method_names if hasattr(view, name)}
                found.append((route, offered - {"OPTIONS", "HEAD"}))

    walk("", get_resolver().url_patterns)
    return found
