"""Every query of every user endpoint asks one shard."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.payments.signatures import sign
from tests.cluster.plans import Plan, recorded
from tests.conftest import PASSWORD, MakeProduct

pytestmark = pytest.mark.django_db

NEW = {"username": "dora", "email": "dora@example.com", "password": PASSWORD}
ORDER = {"payment_method": "card"}
KEY = {"HTTP_IDEMPOTENCY_KEY": "k"}
FOR_STAFF = {
    "POST api/categories/",
    *(f"{method} api/categories/<int:category_id>/" for method in ("PUT", "PATCH", "DELETE")),
    "POST api/products/",
    *(f"{method} api/products/<int:product_id>/" for method in ("PUT", "PATCH", "DELETE")),
    *(
        f"POST api/payments/<uuid:payment_id>/{action}/"
        for action in ("refund", "received", "paid-out")
    ),
    "GET api/users/",
    *(f"{method} api/users/<uuid:user_id>/" for method in ("GET", "PATCH")),
}
# Reviews lie with their products: what is to be taken along or deleted is asked for everywhere; of
# what is deleted first which products it was about, whose answers become stale.
ASKS_FOR_REVIEWS = {"GET api/users/me/export/": 1, "DELETE api/users/me/": 2}
# One statement writes the ledger of all lines of an order, each on the shard of its product.
CANCEL = "api/orders/<uuid:order_id>/cancel/"
MOVES_STOCK = {"POST api/orders/", f"POST {CANCEL}"}
SECRET = "what the gateway signs with"


class Journey:
    """Ana's way through every endpoint, with the plans of what each request sent."""

    def __init__(
        self, ana: APIClient, client: APIClient, product_ids: list[int], user_id: UUID
    ) -> None:
        self.ana, self.client, self.product_ids = ana, client, product_ids
        self.user_id = user_id
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
        category = self.ask("GET", "api/categories/", {"parent": "root"})["results"][0]["id"]
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
        self.settle(order["id"])
        line = self.ask("POST", "api/cart/items/", {"product_id": first})
        self.ask("DELETE", one_line, ids=[line["id"]])
        self.ask("DELETE", "api/cart/")
        wish = self.ask("POST", "api/wishlist/items/", {"product_id": first})
        self.ask("GET", "api/wishlist/")
        self.ask("GET", "api/wishlist/items/")
        self.ask("DELETE", "api/wishlist/items/<uuid:item_id>/", ids=[wish["id"]])
        self.ask("DELETE", "api/wishlist/")
        self.review(first)
        self.ask("POST", "api/auth/logout/", {"refresh": tokens["refresh"]})
        self.close()

    def close(self) -> None:
        """Change the account in every way, take all along, and leave."""
        me, new_password = "api/users/me/", "another long passphrase"
        self.ask("GET", me)
        self.ask("PATCH", me, {"username": "anna", "email": "anna@example.com"})
        change = {"current_password": PASSWORD, "new_password": new_password}
        self.ask("POST", f"{me}password/", change)
        self.ask("GET", f"{me}export/")
        self.ask("DELETE", me, {"password": new_password})

    def settle(self, order_id: str) -> None:
        """Pay an order at the second attempt, then cancel it."""
        payments = "api/orders/<uuid:order_id>/payments/"
        (first,) = self.ask("GET", payments, ids=[order_id])
        self.tell(first, "failed")
        second = self.ask("POST", payments, ORDER, ids=[order_id], HTTP_IDEMPOTENCY_KEY="pay")
        self.tell(second, "succeeded")
        self.ask("POST", CANCEL, ids=[order_id], HTTP_IDEMPOTENCY_KEY="cancel")
        self.tell(first, "succeeded")
        self.ask("GET", "api/payments/")
        self.ask("GET", "api/payments/<uuid:payment_id>/", ids=[second["id"]])

    def tell(self, payment: dict[str, Any], what: str) -> None:
        """Tell what became of a payment, as the gateway does."""
        data = {"user_id": str(self.user_id), "payment_id": payment["id"]}
        event = {"id": f"{what} {payment['id']}", "type": f"payment.{what}", "data": data}
        body = json.dumps(event).encode()
        self.ask(
            "POST",
            "api/payments/webhook/",
            body,
            content_type="application/json",
            HTTP_WEBHOOK_SIGNATURE=sign(body, secret=SECRET, at=int(time.time())),
        )

    def review(self, product_id: int) -> None:
        """Say something of a product, see it, and take it back."""
        reviews, one = (
            "api/products/<int:product_id>/reviews/",
            "api/reviews/<int:product_id>/<uuid:review_id>/",
        )
        written = self.ask("POST", reviews, {"rating": 5}, ids=[product_id])
        ids = [product_id, written["id"]]
        self.ask("GET", reviews, ids=[product_id])
        self.ask("GET", "api/products/<int:product_id>/", ids=[product_id])
        self.ask("GET", one, ids=ids)
        self.ask("PATCH", one, {"rating": 4}, ids=ids)
        self.ask("DELETE", one, ids=ids)


@pytest.fixture
def journey(
    ana: User,
    client: APIClient,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    settings: Any,
) -> Journey:
    settings.PAYMENT_WEBHOOK_SECRET = SECRET
    products = [make_product(f"Book {number}", stock=10) for number in range(3)]
    travelled = Journey(as_user(ana), client, [product.id for product in products], ana.id)
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
        if not _asks_for_reviews(endpoint, plan)
    ]
    assert wide == []


def test_taking_along_and_deleting_ask_every_shard_for_reviews_alone(journey: Journey) -> None:
    for endpoint, times in ASKS_FOR_REVIEWS.items():
        wide = [plan for plan in journey.plans[endpoint] if _asks_for_reviews(endpoint, plan)]
        assert len(wide) == times
        assert all(plan.shards > 1 for plan in wide)


def test_only_the_ledger_of_an_order_is_written_to_several_shards(journey: Journey) -> None:
    """One statement for all lines: each line's entry belongs to the shard of its product."""
    ledger = {
        endpoint: [plan.shards for plan in plans if _is_ledger_of_order(endpoint, plan)]
        for endpoint, plans in journey.plans.items()
        if endpoint in MOVES_STOCK
    }
    assert {endpoint: len(shards) for endpoint, shards in ledger.items()} == {
        "POST api/orders/": 2,
        f"POST {CANCEL}": 1,
    }
    assert all(1 <= asked <= 3 for shards in ledger.values() for asked in shards)


def test_statements_on_one_table_by_its_key_take_the_fast_path(journey: Journey) -> None:
    promised = [
        plan
        for endpoint, plans in journey.plans.items()
        for plan in plans
        if _promises_fast_path(plan) and not _asks_for_reviews(endpoint, plan)
    ]
    assert len(promised) > 20
    assert [plan.sql for plan in promised if not plan.fast_path] == []


def test_the_lines_of_several_orders_take_the_fast_path_too(journey: Journey) -> None:
    lines = [plan for plan in journey.plans["GET api/orders/"] if "orders_orderitem" in plan.tables]
    assert [" IN (" in plan.sql and plan.fast_path for plan in lines] == [True]


def _promises_fast_path(plan: Plan) -> bool:
    """Tell whether a statement reads or changes rows of one table by its key: design §3.

    INSERTs have no predicate; Citus routes them by their values, with no fast path to lose. A list
    of whole keys (`pk__in`), all of one user, is planned in full: one shard all the same.
    """
    by_key = plan.sql.startswith(("SELECT", "UPDATE", "DELETE")) and " IN (" not in plan.sql
    return by_key and plan.is_distributed and len(plan.tables) == 1


def _is_ledger_of_order(endpoint: str, plan: Plan) -> bool:
    is_ledger = plan.sql.startswith('INSERT INTO "inventory_stockmovement"')
    return endpoint in MOVES_STOCK and is_ledger


def _asks_for_reviews(endpoint: str, plan: Plan) -> bool:
    return endpoint in ASKS_FOR_REVIEWS and plan.tables == {"reviews_review"}


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
            elif route.startswith("api/") and "stock" not in route and "staff/" not in route:
                view = pattern.callback.view_class  # type: ignore[attr-defined]
                offered = {name.upper() for name in view.http_method_names if hasattr(view, name)}
                if hasattr(pattern.callback, "cls"):  # the pages about the API ask for no rows
                    found.append((route, offered - {"OPTIONS", "HEAD"}))

    walk("", get_resolver().url_patterns)
    return found
