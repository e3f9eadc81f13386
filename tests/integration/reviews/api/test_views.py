"""Reviews and ratings, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.accounts.services import register
from shop.catalog.models import Product
from shop.core.roles import Role
from shop.reviews.models import Review
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import (
    assert_problem,
    invalid_fields,
    statements,
    unknown_fields,
)
from tests.integration.reviews.conftest import Buy

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], APIClient]


def url(product: Product | int) -> str:
    return f"/api/products/{getattr(product, 'id', product)}/reviews/"


@pytest.fixture
def product(make_product: MakeProduct) -> Product:
    return make_product(stock=5)


@pytest.fixture
def anas(ana: User, as_user: AsUser, product: Product) -> dict[str, Any]:
    """Ana's review of the product, and where it is found."""
    response = as_user(ana).post(url(product), {"rating": 4, "comment": "Good."})
    assert response.status_code == 201, response.content
    return {**response.json(), "url": response.headers["Location"]}


def test_a_review_is_written_and_found_where_it_is_said_to_be(
    client: APIClient, ana: User, as_user: AsUser, product: Product, buy: Buy
) -> None:
    User.objects.for_user(ana.id).update(first_name="Ana")
    buy(ana, product, "delivered")
    response = as_user(ana).post(url(product), {"rating": 5, "comment": "Read it twice."})
    assert response.status_code == 201, response.content
    body = response.json()
    assert response.headers["Location"] == f"/api/reviews/{product.id}/{body['id']}/"
    assert client.get(response.headers["Location"]).json() == body
    assert client.get(url(product)).json()["results"] == [body]
    assert body.pop("created_at") <= body.pop("updated_at")
    assert isinstance(body.pop("id"), str)
    assert body == {
        "product_id": product.id,
        "author_name": "Ana",
        "rating": 5,
        "comment": "Read it twice.",
        "verified_purchase": True,
    }


def test_nobody_verifies_their_own_purchase_or_writes_in_anothers_name(
    ana: User, bo: User, as_user: AsUser, product: Product
) -> None:
    claimed = {"verified_purchase": True, "author_name": "Bo", "user_id": str(bo.id)}
    answer = as_user(ana).post(url(product), {"rating": 5, **claimed})
    assert unknown_fields(answer) == list(claimed)
    assert not Review.objects.for_product(product.id).exists()


def test_an_author_is_not_named_by_id(
    client: APIClient, ana: User, anas: dict[str, Any], product: Product
) -> None:
    for path in (anas["url"], url(product), f"/api/products/{product.id}/"):
        assert str(ana.id) not in client.get(path).content.decode()


@pytest.mark.usefixtures("anas")
def test_a_second_review_of_a_product_is_a_conflict(
    ana: User, as_user: AsUser, product: Product
) -> None:
    assert_problem(as_user(ana).post(url(product), {"rating": 1}), 409, "already_reviewed")


def test_a_list_shows_the_newest_first_page_by_page_with_the_summary_of_all(
    client: APIClient, product: Product
) -> None:
    for rating in (1, 5, 5):
        Review.objects.create(product=product, user_id=new_id(), author_name="B", rating=rating)
    page = client.get(url(product), {"page_size": 2}).json()
    assert page["summary"] == {"average": "3.67", "count": 3}
    assert [row["rating"] for row in page["results"]] == [5, 5]
    rest = client.get(page["next"]).json()
    assert [row["rating"] for row in rest["results"]] == [1]
    assert (rest["summary"], rest["next"]) == (page["summary"], None)


def test_a_product_without_reviews_has_an_empty_list(client: APIClient, product: Product) -> None:
    assert client.get(url(product)).json() == {
        "summary": {"average": None, "count": 0},
        "next": None,
        "previous": None,
        "results": [],
    }


def test_a_list_of_reviews_costs_two_statements(
    client: APIClient, anas: dict[str, Any], product: Product
) -> None:
    with statements(2):
        assert client.get(url(product)).json()["results"][0]["id"] == anas["id"]


def test_a_product_shows_its_rating_in_its_one_statement(
    client: APIClient, anas: dict[str, Any], ana: User, bo: User, as_user: AsUser, product: Product
) -> None:
    as_user(bo).post(url(product), {"rating": 5})
    with statements(1):
        body = client.get(f"/api/products/{product.id}/").json()
    assert (body["rating_average"], body["rating_count"]) == ("4.50", 2)
    as_user(ana).patch(anas["url"], {"rating": 1})
    assert client.get(f"/api/products/{product.id}/").json()["rating_average"] == "3.00"
    as_user(ana).delete(anas["url"])
    assert client.get(f"/api/products/{product.id}/").json()["rating_average"] == "5.00"


@pytest.mark.parametrize("number", [0, 999_999, 2**63, 10**30])
def test_reviews_of_what_does_not_exist_are_not_found(
    client: APIClient, ana: User, as_user: AsUser, number: int
) -> None:
    assert_problem(client.get(url(number)), 404, "not_found")
    assert_problem(as_user(ana).post(url(number), {"rating": 5}), 404, "not_found")
    assert_problem(client.get(f"/api/reviews/{number}/{new_id()}/"), 404, "not_found")


def test_a_review_is_found_below_its_own_product_alone(
    client: APIClient, anas: dict[str, Any], make_product: MakeProduct
) -> None:
    other = make_product("Another")
    assert_problem(client.get(f"/api/reviews/{other.id}/{anas['id']}/"), 404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rating", None),
        ("rating", 0),
        ("rating", 6),
        ("rating", -1),
        ("rating", 4.5),
        ("rating", "good"),
        ("rating", 10**30),
        ("rating", []),
        ("comment", None),
        ("comment", "x" * 5_001),
        ("comment", "a\0b"),
        ("comment", []),
    ],
)
def test_an_unacceptable_field_is_named(
    ana: User,
    as_user: AsUser,
    anas: dict[str, Any],
    make_product: MakeProduct,
    field: str,
    value: Any,
) -> None:
    other = make_product("Another")
    body = {"rating": 5, "comment": "Good.", field: value}
    assert invalid_fields(as_user(ana).post(url(other), body)) == {field}
    assert invalid_fields(as_user(ana).patch(anas["url"], {field: value})) == {field}
    assert not Review.objects.for_product(other.id).exists()


def test_a_review_needs_stars_but_no_words(ana: User, as_user: AsUser, product: Product) -> None:
    assert invalid_fields(as_user(ana).post(url(product), {"comment": "Good."})) == {"rating"}
    assert as_user(ana).post(url(product), {"rating": 3}).json()["comment"] == ""


def test_its_author_changes_and_deletes_a_review(
    client: APIClient, ana: User, as_user: AsUser, anas: dict[str, Any]
) -> None:
    changed = as_user(ana).patch(anas["url"], {"rating": 2})
    assert changed.status_code == 200
    assert (changed.json()["rating"], changed.json()["comment"]) == (2, "Good.")
    assert changed.json()["updated_at"] > anas["updated_at"]
    assert client.get(anas["url"]).json() == changed.json()
    assert as_user(ana).delete(anas["url"]).status_code == 204
    for method in ("get", "patch", "delete"):
        assert_problem(getattr(as_user(ana), method)(anas["url"], {}), 404, "not_found")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.CUSTOMER, 403),
        (Role.CATALOG_MANAGER, 403),
        (Role.SUPPORT, 200),
        (Role.ADMIN, 200),
    ],
)
def test_of_the_others_only_support_and_admins_change_a_review(
    client: APIClient, as_user: AsUser, anas: dict[str, Any], role: Role, status: int
) -> None:
    other = as_user(register(username="dan", email="dan@example.com", password=PASSWORD, role=role))
    assert other.get(anas["url"]).status_code == 200
    assert other.patch(anas["url"], {"comment": "Removed."}).status_code == status
    assert other.delete(anas["url"]).status_code == (403 if status == 403 else 204)
    assert client.get(anas["url"]).status_code == (200 if status == 403 else 404)


def test_without_a_token_reviews_can_only_be_read(
    client: APIClient, anas: dict[str, Any], product: Product
) -> None:
    assert client.get(anas["url"]).status_code == 200
    assert_problem(client.post(url(product), {"rating": 5}), 401, "not_authenticated")
    assert_problem(client.patch(anas["url"], {"rating": 5}), 401, "not_authenticated")
    assert_problem(client.delete(anas["url"]), 401, "not_authenticated")
    assert client.put(anas["url"], {"rating": 5}).status_code in (401, 405)


def test_a_token_outlives_its_account_but_reviews_nothing(
    ana: User, as_user: AsUser, product: Product
) -> None:
    client = as_user(ana)
    User.objects.for_user(ana.id).delete()
    assert_problem(client.post(url(product), {"rating": 5}), 403, "account_closed")
