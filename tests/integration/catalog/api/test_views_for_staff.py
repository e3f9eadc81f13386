"""Staff write the catalog, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.accounts.services import register
from shop.catalog.models import Category, Product
from shop.core.roles import Role
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields, unknown_fields
from tests.integration.core.concurrency import beside

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
    assert response.headers["Location"] == f"{PRODUCTS}{product.id}/"
    unrated = {"rating_average": None, "rating_count": 0}
    assert staff.get(response.headers["Location"]).json() == body | unrated


def test_nobody_publishes_a_stock_by_hand(staff: APIClient, category: Category) -> None:
    wanted = {"name": "A", "price": 1, "category_id": category.id, "stock_quantity": 9, "id": 7}
    assert unknown_fields(staff.post(PRODUCTS, wanted)) == ["stock_quantity", "id"]
    assert not Product.objects.exists()


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


def test_a_slug_that_is_taken_is_a_conflict(
    staff: APIClient, make_product: MakeProduct, category: Category
) -> None:
    make_product("A book")
    body = {"name": "B", "slug": "a-book", "price": "1.00", "category_id": category.id}
    assert_problem(staff.post(PRODUCTS, body), 409, "product_exists")


def test_a_slug_that_nobody_asked_for_makes_room(
    staff: APIClient, make_product: MakeProduct, category: Category
) -> None:
    make_product("A book")
    body = {"name": "A book", "price": "1.00", "category_id": category.id}
    assert staff.post(PRODUCTS, body).json()["slug"] == "a-book-2"


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


def test_a_patch_changes_what_it_names(staff: APIClient, make_product: MakeProduct) -> None:
    product = make_product("A book", price="10.00")
    response = staff.patch(f"{PRODUCTS}{product.id}/", {"price": "12.00"})
    assert response.status_code == 200, response.content
    assert (response.json()["price"], response.json()["name"]) == ("12.00", "A book")
    assert staff.get(f"{PRODUCTS}{product.id}/").json() == response.json()


def test_a_put_replaces_all_but_the_slug(
    staff: APIClient, make_product: MakeProduct, category: Category
) -> None:
    product = make_product("A book")
    Product.objects.update(description="Old words.", stock_quantity=3)
    wanted = {"name": "B", "price": "1.00", "category_id": category.id}
    body = staff.put(f"{PRODUCTS}{product.id}/", wanted).json()
    assert (body["name"], body["description"], body["slug"]) == ("B", "", "a-book")
    assert body["stock_quantity"] == 3
    assert invalid_fields(staff.put(f"{PRODUCTS}{product.id}/", {"name": "C"})) == {
        "price",
        "category_id",
    }


def test_a_slug_that_another_product_has_is_a_conflict(
    staff: APIClient, make_product: MakeProduct
) -> None:
    make_product("A book")
    other = make_product("Another")
    response = staff.patch(f"{PRODUCTS}{other.id}/", {"slug": "a-book"})
    assert_problem(response, 409, "product_exists")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_product_that_has_changed_since_it_was_read_is_left_alone(
    staff: APIClient, make_product: MakeProduct, category: Category, method: str
) -> None:
    path = f"{PRODUCTS}{make_product('A book').id}/"
    body = {"name": "B", "price": "1.00", "category_id": category.id}
    seen = {"If-Match": staff.get(path).headers["ETag"]}
    staff.patch(path, {"price": "99.00"})
    call = getattr(staff, method)
    assert_problem(call(path, body, headers=seen), 412, "precondition_failed")
    assert (staff.get(path).json()["name"], staff.get(path).json()["price"]) == ("A book", "99.00")
    seen = {"If-Match": staff.get(path).headers["ETag"]}
    assert call(path, body, headers=seen).status_code in (200, 204)


def test_an_etag_covers_the_rating_that_was_shown(
    staff: APIClient, ana: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    path = f"{PRODUCTS}{make_product('A book').id}/"
    seen = {"If-Match": staff.get(path).headers["ETag"]}
    as_user(ana).post(f"{path}reviews/", {"rating": 5})
    assert_problem(staff.patch(path, {"name": "B"}, headers=seen), 412, "precondition_failed")


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_what_both_have_read_one_is_made(
    sam: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    path = f"{PRODUCTS}{make_product('A book').id}/"
    seen = {"If-Match": as_user(sam).get(path).headers["ETag"]}
    with beside(
        *[
            lambda price=price: as_user(sam).patch(path, {"price": price}, headers=seen)
            for price in ("1.00", "2.00", "3.00")
        ]
    ) as answers:
        pass
    assert sorted(answer.result().status_code for answer in answers) == [200, 412, 412]


def test_a_product_that_nobody_ever_touched_is_deleted(
    staff: APIClient, make_product: MakeProduct
) -> None:
    path = f"{PRODUCTS}{make_product().id}/"
    assert staff.delete(path).status_code == 204
    assert_problem(staff.get(path), 404, "not_found")
    assert_problem(staff.delete(path), 404, "not_found")


def test_a_product_that_was_counted_is_in_use(staff: APIClient, make_product: MakeProduct) -> None:
    response = staff.delete(f"{PRODUCTS}{make_product(stock=1).id}/")
    assert_problem(response, 409, "product_in_use")


def test_staff_move_and_rename_categories(staff: APIClient, category: Category) -> None:
    created = staff.post(CATEGORIES, {"name": "Novels", "parent_id": category.id})
    path = created.headers["Location"]
    assert path == f"{CATEGORIES}{created.json()['id']}/"
    renamed = staff.patch(path, {"name": "Fiction"}).json()
    assert (renamed["name"], renamed["ancestor_ids"]) == ("Fiction", [category.id])
    moved = staff.patch(path, {"parent_id": None}).json()
    assert (moved["name"], moved["parent_id"], moved["ancestor_ids"]) == ("Fiction", None, [])
    assert staff.get(path).json() == moved


def test_a_put_without_a_parent_moves_a_category_to_the_root(
    staff: APIClient, category: Category
) -> None:
    path = staff.post(CATEGORIES, {"name": "Novels", "parent_id": category.id}).headers["Location"]
    body = staff.put(path, {"name": "Fiction"}).json()
    assert (body["name"], body["parent_id"], body["ancestor_ids"]) == ("Fiction", None, [])
    assert invalid_fields(staff.put(path, {"parent_id": None})) == {"name"}


def test_a_category_below_itself_is_a_conflict(staff: APIClient, category: Category) -> None:
    novels = staff.post(CATEGORIES, {"name": "Novels", "parent_id": category.id}).json()
    for parent in (category.id, novels["id"]):
        response = staff.patch(f"{CATEGORIES}{category.id}/", {"parent_id": parent})
        assert_problem(response, 409, "category_cycle")


def test_an_empty_category_can_be_deleted_and_no_other(
    staff: APIClient, category: Category, make_product: MakeProduct
) -> None:
    product, path = make_product(), f"{CATEGORIES}{category.id}/"
    with transaction.atomic():
        assert_problem(staff.delete(path), 409, "category_in_use")
        transaction.set_rollback(True)
    assert staff.delete(f"{PRODUCTS}{product.id}/").status_code == 204
    assert staff.delete(path).status_code == 204
    assert_problem(staff.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_staff_of_the_catalog_change_it(
    client: APIClient,
    ana: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    category: Category,
    method: str,
) -> None:
    body = {"name": "B", "price": "1.00", "category_id": category.id}
    for path in (f"{PRODUCTS}{make_product().id}/", f"{CATEGORIES}{category.id}/"):
        assert_problem(getattr(client, method)(path, body), 401, "not_authenticated")
        assert_problem(getattr(as_user(ana), method)(path, body), 403, "permission_denied")
    assert (Product.objects.get().name, Category.objects.get().name) == ("A book", "Books")
