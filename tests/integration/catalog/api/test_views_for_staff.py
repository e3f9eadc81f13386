"""Staff write the catalog, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.accounts.services import register
from shop.catalog.models import Category, Product
from shop.core.roles import Role
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

PRODUCTS, CATEGORIES = "/api/products/", "/api/categories/"


@pytest.fixture
def staff(sam: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(sam)


def test_staff_create_a_product(staff: APIClient, category: Category) -> None:
    wanted = {"name": "Über Atlas", "price": "19.90", "category_id": category.id}
    response = staff.post(PRODUCTS, wanted)
    assert response.status_code == 201, response.content
    body = response.json()
    product = Product.objects.get(id=body["id"])
    assert (product.name, product.slug, str(product.price)) == ("Über Atlas", "über-atlas", "19.90")
    assert (product.category, product.description) == (category, "")
    assert staff.get(f"{PRODUCTS}{product.id}/").json() == body


def test_nobody_publishes_a_stock_by_hand(staff: APIClient, category: Category) -> None:
    wanted = {"name": "A", "price": 1, "category_id": category.id, "stock_quantity": 9, "id": 7}
    body = staff.post(PRODUCTS, wanted).json()
    assert body["stock_quantity"] == 0
    assert body["price"] == "1.00"
    assert Product.objects.get().stock_quantity == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 256),
        ("name", "a\0b"),
        ("name", None),
        ("slug", "no spaces"),
        ("slug", "x" * 256),
        ("slug", ""),
        ("price", "-0.01"),
        ("price", "1.001"),
        ("price", "10000000000"),
        ("price", "NaN"),
        ("price", True),
        ("price", None),
        ("description", "a\0b"),
        ("description", []),
        ("category_id", 0),
        ("category_id", "x"),
        ("category_id", 2**63),
        ("category_id", None),
        ("category_id", True),
    ],
)
def test_an_unacceptable_field_of_a_product_is_named(
    staff: APIClient, category: Category, field: str, value: Any
) -> None:
    wanted = {"name": "A", "price": "1.00", "category_id": category.id, field: value}
    assert invalid_fields(staff.post(PRODUCTS, wanted)) == {field}
    assert not Product.objects.exists()


@pytest.mark.parametrize("field", ["name", "price", "category_id"])
def test_a_missing_field_of_a_product_is_named(
    staff: APIClient, category: Category, field: str
) -> None:
    wanted = {"name": "A", "price": "1.00", "category_id": category.id}
    del wanted[field]
    assert invalid_fields(staff.post(PRODUCTS, wanted)) == {field}


@pytest.mark.parametrize("wanted", [{"name": "A book"}, {"name": "B", "slug": "a-book"}])
def test_a_slug_that_is_taken_is_a_conflict(
    staff: APIClient, make_product: MakeProduct, category: Category, wanted: dict[str, str]
) -> None:
    make_product("A book")
    body = {**wanted, "price": "1.00", "category_id": category.id}
    assert_problem(staff.post(PRODUCTS, body), 409, "product_exists")


@pytest.mark.parametrize("name", ["㍿" * 100, "!!!", "日本語"])
def test_a_product_of_any_name_gets_a_slug(staff: APIClient, category: Category, name: str) -> None:
    response = staff.post(PRODUCTS, {"name": name, "price": "1", "category_id": category.id})
    assert response.status_code == 201, response.content
    assert 0 < len(response.json()["slug"]) <= 255


def test_staff_create_categories_below_others(staff: APIClient, category: Category) -> None:
    body = staff.post(CATEGORIES, {"name": "Novels", "parent_id": category.id}).json()
    deeper = staff.post(CATEGORIES, {"name": "Crime", "parent_id": body["id"]}).json()
    assert body["parent_id"] == category.id
    assert Category.objects.get(id=deeper["id"]).ancestor_ids == [category.id, body["id"]]
    root = staff.post(CATEGORIES, {"name": "Games", "parent_id": None})
    assert (root.status_code, root.json()["parent_id"]) == (201, None)


def test_a_category_that_is_there_is_a_conflict(staff: APIClient, category: Category) -> None:
    assert_problem(staff.post(CATEGORIES, {"name": "Books"}), 409, "category_exists")


def test_one_name_may_stand_at_two_places(staff: APIClient, category: Category) -> None:
    response = staff.post(CATEGORIES, {"name": "Books", "parent_id": category.id})
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "\0"),
        ("parent_id", 0),
        ("parent_id", 2**63),
        ("parent_id", "x"),
    ],
)
def test_an_unacceptable_field_of_a_category_is_named(
    staff: APIClient, field: str, value: Any
) -> None:
    assert invalid_fields(staff.post(CATEGORIES, {"name": "A", field: value})) == {field}


@pytest.mark.parametrize("path", [PRODUCTS, CATEGORIES])
def test_only_staff_of_the_catalog_write_it(
    client: APIClient, ana: User, as_user: Callable[[User], APIClient], path: str
) -> None:
    assert_problem(client.post(path, {}), 401, "not_authenticated")
    assert_problem(as_user(ana).post(path, {}), 403, "permission_denied")
    assert not Product.objects.exists()
    assert not Category.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.SUPPORT, 403), (Role.CATALOG_MANAGER, 201), (Role.ADMIN, 201)]
)
def test_each_role_writes_what_it_is_for(
    db: None, as_user: Callable[[User], APIClient], role: Role, status: int
) -> None:
    user = register(username="sam2", email="sam2@example.com", password=PASSWORD, role=role)
    assert as_user(user).post(CATEGORIES, {"name": "Games"}).status_code == status
