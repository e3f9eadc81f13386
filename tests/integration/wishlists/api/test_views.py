"""The caller's wishlist, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

LIST, ITEMS = "/api/wishlist/", "/api/wishlist/items/"


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


def add(client: APIClient, product_id: object) -> Any:
    return client.post(ITEMS, {"product_id": product_id})


def test_a_wishlist_that_was_never_opened_is_empty(shopper: APIClient) -> None:
    assert shopper.get(LIST).json() == {"id": None, "items": []}
    assert shopper.get(ITEMS).json() == {"next": None, "previous": None, "results": []}


def test_an_item_shows_what_it_is_and_what_it_costs(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product("A book", price="12.50")
    response = add(shopper, product.id)
    assert response.status_code == 201
    item = response.json()
    assert response.headers["Location"] == f"{ITEMS}{item['id']}/"
    assert [item] == shopper.get(LIST).json()["items"] == shopper.get(ITEMS).json()["results"]
    assert isinstance(item.pop("id"), str)
    assert item.pop("created_at")
    assert item == {
        "product_id": product.id,
        "product_name": "A book",
        "name": "A book",
        "price": "12.50",
        "for_sale": True,
    }


def test_wishing_twice_answers_the_same_item(shopper: APIClient, make_product: MakeProduct) -> None:
    product = make_product()
    assert add(shopper, product.id).json() == add(shopper, product.id).json()


def test_the_list_shows_the_newest_first_and_the_whole_in_order(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    for name in "cab":
        add(shopper, make_product(name).id)
    assert [row["name"] for row in shopper.get(ITEMS).json()["results"]] == ["b", "a", "c"]
    assert [row["name"] for row in shopper.get(LIST).json()["items"]] == ["c", "a", "b"]


@pytest.mark.parametrize("number", [1, 999_999, 2**63 - 1])
def test_an_unknown_product_is_not_found(shopper: APIClient, number: int) -> None:
    assert_problem(add(shopper, number), 404, "not_found")


@pytest.mark.parametrize("value", [None, 0, -1, 2**63, 1.5, "x", [], {"a": 1}])
def test_an_unacceptable_product_is_named(shopper: APIClient, value: Any) -> None:
    assert invalid_fields(add(shopper, value)) == {"product_id"}


def test_an_item_can_be_removed_once(shopper: APIClient, make_product: MakeProduct) -> None:
    item = add(shopper, make_product().id).json()
    assert shopper.delete(f"{ITEMS}{item['id']}/").status_code == 204
    assert shopper.get(LIST).json()["items"] == []
    assert_problem(shopper.delete(f"{ITEMS}{item['id']}/"), 404, "not_found")


def test_clearing_forgets_the_wishlist(shopper: APIClient, make_product: MakeProduct) -> None:
    add(shopper, make_product().id)
    assert shopper.delete(LIST).status_code == 204
    assert shopper.get(LIST).json() == {"id": None, "items": []}


def test_the_wishlist_of_another_user_is_invisible(
    shopper: APIClient, bo: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    bos = add(as_user(bo), make_product().id).json()
    assert shopper.get(LIST).json()["items"] == []
    for item_id in (bos["id"], new_id()):
        assert_problem(shopper.delete(f"{ITEMS}{item_id}/"), 404, "not_found")
    assert shopper.delete(LIST).status_code == 204
    assert as_user(bo).get(LIST).json()["items"] == [bos]


def test_a_token_outlives_its_account_but_wishes_for_nothing(
    ana: User, shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    User.objects.for_user(ana.id).delete()
    assert_problem(add(shopper, product.id), 403, "account_closed")
