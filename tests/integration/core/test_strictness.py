"""What a client says is heard, or refused by name."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.models import Product
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


@pytest.fixture
def product(make_product: MakeProduct) -> Product:
    return make_product(price="5.00")


def named(response: Any, code: str = "unknown_field") -> list[str]:
    return [error["field"] for error in assert_problem(response, 400, code)["errors"]]


def test_a_misspelt_price_changes_nothing_and_says_so(staff: APIClient, product: Product) -> None:
    path = f"/api/products/{product.id}/"
    assert named(staff.patch(path, {"prise": "7.00"})) == ["prise"]
    assert staff.get(path).json()["price"] == "5.00"


def test_what_only_answers_have_cannot_be_set(staff: APIClient, product: Product) -> None:
    new = {"name": "Lamp", "price": "1.00", "category_id": product.category_id}
    wanted = {"stock_quantity": 3, "sku": "L-1", "published": True}
    assert named(staff.post("/api/products/", {**new, **wanted})) == list(wanted)
    path = f"/api/products/{product.id}/"
    assert named(staff.patch(path, {"stock_quantity": 3})) == ["stock_quantity"]


def test_what_a_get_shows_can_be_put_back(staff: APIClient, product: Product) -> None:
    for path in (f"/api/products/{product.id}/", f"/api/categories/{product.category_id}/"):
        shown = staff.get(path).json()
        assert staff.put(path, shown).status_code == 200
        assert named(staff.put(path, {**shown, "colour": "red"})) == ["colour"]


def test_every_unknown_field_is_named_before_any_other_is_looked_at(client: APIClient) -> None:
    answer = client.post("/api/auth/login/", {"remember": True, "usename": "ana"})
    assert named(answer) == ["remember", "usename"]


@pytest.mark.parametrize("body", ["text", 7, [1], [{"name": 1}]])
def test_a_body_that_is_no_object_is_invalid(staff: APIClient, body: Any) -> None:
    assert_problem(staff.post("/api/categories/", body), 400, "invalid")


def test_a_filter_that_is_misspelt_does_not_list_everything(staff: APIClient) -> None:
    assert named(staff.get("/api/staff/orders/?stauts=paid"), "unknown_parameter") == ["stauts"]
    assert staff.get("/api/staff/orders/?status=paid&page_size=5&cursor=").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "search=&category=&min_price=&max_price=&in_stock=",
        "search=%20&ordering=&page_size=&cursor=",
    ],
)
def test_empty_parameters_of_a_form_count_as_absent(
    client: APIClient, staff: APIClient, product: Product, query: str
) -> None:
    for reader in (client, staff):
        all_of_them = reader.get("/api/products/").json()
        assert reader.get(f"/api/products/?{query}").json() == all_of_them
        assert all_of_them["results"]
    for path in ("/api/users/?role=&is_active=&username=", "/api/staff/orders/?status=&user_id="):
        assert staff.get(path).status_code == 200


def test_a_cursor_made_with_empty_parameters_is_good_without_them(
    staff: APIClient, ana: User
) -> None:
    following = staff.get("/api/users/?role=&page_size=1").json()["next"]
    assert following.endswith("&role=")
    page, same = (staff.get(url).json() for url in (following, following.removesuffix("&role=")))
    assert page["results"] == same["results"]
    assert [row["username"] for row in page["results"]] == ["sam"]
