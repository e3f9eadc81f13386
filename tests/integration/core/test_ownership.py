"""A user sees and changes only their own rows, on every route of the URL map."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from rest_framework.test import APIClient

from shop.accounts.models import User
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem
from tests.integration.core.routes import (
    METHODS,
    Route,
    acceptable_body,
    api_routes,
    handled,
    taken_fields,
)

pytestmark = pytest.mark.django_db

every_route = pytest.mark.parametrize("route", api_routes(), ids=str)
every_handler = pytest.mark.parametrize(("route", "method"), handled(*METHODS), ids=str)


@pytest.fixture
def bo_shops(bo: User, as_user: Callable[[User], APIClient], make_product: MakeProduct) -> User:
    """Bo has an order, a full cart and a wishlist."""
    client, product = as_user(bo), make_product(stock=10)
    _ok(client.post("/api/cart/items/", {"product_id": product.id}))
    key = {"Idempotency-Key": "bo-1"}
    _ok(client.post("/api/orders/", {"payment_method": "card"}, headers=key))
    _ok(client.post("/api/cart/items/", {"product_id": product.id}))
    _ok(client.post("/api/wishlist/items/", {"product_id": product.id}))
    return bo


def _ok(response: Any) -> None:
    assert response.status_code == 201, response.content


def _rows_of(user: User) -> dict[str, list[dict[str, Any]]]:
    """Return every row, of whichever table, that carries the user's id."""
    return {
        model._meta.label: list(model._base_manager.filter(user_id=user.id).values().order_by("id"))
        for model in apps.get_models()
        if {"user_id", "id"} <= {field.attname for field in model._meta.fields}
        and "product_id" not in getattr(model._meta.pk, "field_names", ())
    }


def _ids_of(user: User) -> set[UUID]:
    return {row["id"] for rows in _rows_of(user).values() for row in rows} | {user.id}


def test_the_cast_of_these_tests_has_rows_in_every_room(bo_shops: User) -> None:
    filled = {label for label, rows in _rows_of(bo_shops).items() if rows}
    assert filled >= {
        "carts.ShoppingCart",
        "carts.CartItem",
        "wishlists.Wishlist",
        "wishlists.WishlistItem",
        "orders.Order",
        "orders.OrderItem",
        "orders.OrderEvent",
        "payments.Payment",
        "core.OutboxEvent",
    }


@pytest.mark.parametrize("route", api_routes(with_placeholder="uuid"), ids=str)
def test_another_users_ids_answer_404(
    ana: User, bo_shops: User, as_user: Callable[[User], APIClient], route: Route
) -> None:
    client, before = as_user(ana), _rows_of(bo_shops)
    answers = {
        (method, foreign_id): _ask(client, route, method, foreign_id).status_code
        for foreign_id in _ids_of(bo_shops)
        for method in METHODS
        if route.takes(method)
    }
    assert answers
    assert set(answers.values()) <= {403, 404}, answers
    assert _rows_of(bo_shops) == before


@every_route
def test_no_answer_shows_another_users_ids(
    ana: User, bo_shops: User, as_user: Callable[[User], APIClient], route: Route
) -> None:
    response = as_user(ana).get(route.path(int=1, uuid=ana.id))
    shown = {str(i) for i in _ids_of(bo_shops) if str(i) in response.content.decode()}
    assert shown == set()


@every_handler
def test_nothing_that_ana_does_changes_bos_rows(
    ana: User, bo_shops: User, as_user: Callable[[User], APIClient], route: Route, method: str
) -> None:
    before = _rows_of(bo_shops)
    names_bo = {"user_id": str(bo_shops.id), "id": str(bo_shops.id)}
    response = _ask(as_user(ana), route, method, ana.id, **names_bo)
    assert response.status_code < 500
    assert _rows_of(bo_shops) == before


OPEN = {
    ("POST", "/api/auth/register/"),
    ("POST", "/api/auth/login/"),
    ("POST", "/api/auth/refresh/"),
    ("POST", "/api/auth/logout/"),
    ("GET", "/api/categories/"),
    ("GET", "/api/categories/<int:category_id>/"),
    ("GET", "/api/products/"),
    ("GET", "/api/products/<int:product_id>/"),
    ("GET", "/api/products/<int:product_id>/reviews/"),
    ("GET", "/api/reviews/<int:product_id>/<uuid:review_id>/"),
    ("POST", "/api/payments/webhook/"),  # signed by the gateway instead
}


@pytest.mark.parametrize(
    ("route", "method"),
    [(r, m) for r, m in handled(*METHODS) if (m, r.template) not in OPEN],
    ids=str,
)
def test_whatever_is_not_open_to_everybody_wants_a_token(
    client: APIClient, route: Route, method: str
) -> None:
    response = _ask(client, route, method, UUID(int=1))
    assert_problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def _ask(client: APIClient, route: Route, method: str, key: UUID, **fields: object) -> Any:
    """Send what the operation takes, so that nothing but whose it is can be refused."""
    wanted = {**acceptable_body(), **fields}
    taken = taken_fields(route, method)
    return client.generic(
        method,
        route.path(int=1, uuid=key),
        json.dumps({name: value for name, value in wanted.items() if name in taken}),
        content_type="application/json",
        headers={"Idempotency-Key": "bo-1"},
    )
