"""The caller's cart, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.carts.models import MAX_QUANTITY
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields, statements
from tests.integration.core.concurrency import beside

pytestmark = pytest.mark.django_db

CART, ITEMS = "/api/cart/", "/api/cart/items/"


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


def add(client: APIClient, product_id: int, quantity: int | None = None) -> Any:
    body = {"product_id": product_id}
    return client.post(ITEMS, body if quantity is None else {**body, "quantity": quantity})


def test_a_cart_that_was_never_opened_is_empty(shopper: APIClient) -> None:
    assert shopper.get(CART).json() == {
        "id": None,
        "items": [],
        "total_amount": "0.00",
        "total": "0.00",
        "updated_at": None,
    }
    assert shopper.get(ITEMS).json() == []


def test_a_line_shows_what_it_is_and_what_it_costs(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product("A book", price="12.50")
    response = add(shopper, product.id, 2)
    assert response.status_code == 201
    line = response.json()
    assert response.headers["Location"] == f"{ITEMS}{line['id']}/"
    assert line == shopper.get(ITEMS).json()[0] == shopper.get(CART).json()["items"][0]
    assert isinstance(line.pop("id"), str)
    assert line.pop("created_at") <= line.pop("updated_at")
    assert line == {
        "product_id": product.id,
        "product_name": "A book",
        "name": "A book",
        "quantity": 2,
        "price": "12.50",
        "for_sale": True,
    }


def test_the_total_is_exact(shopper: APIClient, make_product: MakeProduct) -> None:
    add(shopper, make_product("a", price="0.10").id, 3)
    add(shopper, make_product("b", price="9999999999.99").id, MAX_QUANTITY)
    cart = shopper.get(CART).json()
    assert cart["total"] == "9989999999990.31"
    assert isinstance(cart["id"], str)


def test_one_unit_is_added_unless_told_otherwise(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    assert add(shopper, product.id).json()["quantity"] == 1
    assert add(shopper, product.id, 4).json()["quantity"] == 5
    assert len(shopper.get(ITEMS).json()) == 1


def test_a_price_is_the_catalogs_of_the_moment(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product(price="10.00")
    add(shopper, product.id, 2)
    product.price = 11
    product.save()
    assert shopper.get(CART).json()["total"] == "22.00"


def test_more_than_a_line_holds_is_a_conflict(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    add(shopper, product.id, MAX_QUANTITY)
    assert_problem(add(shopper, product.id), 409, "quantity_too_large")
    assert shopper.get(ITEMS).json()[0]["quantity"] == MAX_QUANTITY


@pytest.mark.parametrize("number", [1, 999_999, 2**63 - 1])
def test_an_unknown_product_is_not_found(shopper: APIClient, number: int) -> None:
    assert_problem(add(shopper, number), 404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product_id", None),
        ("product_id", 0),
        ("product_id", -1),
        ("product_id", 2**63),
        ("product_id", 1.5),
        ("product_id", "x"),
        ("product_id", [1]),
        ("quantity", 0),
        ("quantity", -1),
        ("quantity", MAX_QUANTITY + 1),
        ("quantity", 10**30),
        ("quantity", 1.5),
        ("quantity", "many"),
        ("quantity", None),
        ("quantity", {}),
    ],
)
def test_an_unacceptable_field_is_named(
    shopper: APIClient, make_product: MakeProduct, field: str, value: Any
) -> None:
    body = {"product_id": make_product().id, "quantity": 1, field: value}
    assert invalid_fields(shopper.post(ITEMS, body)) == {field}
    assert shopper.get(ITEMS).json() == []


def test_a_line_can_be_changed_and_removed(shopper: APIClient, make_product: MakeProduct) -> None:
    line = add(shopper, make_product().id, 2).json()
    changed = shopper.patch(f"{ITEMS}{line['id']}/", {"quantity": 7})
    assert (changed.status_code, changed.json()["quantity"]) == (200, 7)
    assert changed.json().keys() == line.keys()
    assert shopper.delete(f"{ITEMS}{line['id']}/").status_code == 204
    assert shopper.get(ITEMS).json() == []
    assert_problem(shopper.delete(f"{ITEMS}{line['id']}/"), 404, "not_found")


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1, None, "x"])
def test_a_line_cannot_be_changed_to_anything_else(
    shopper: APIClient, make_product: MakeProduct, quantity: Any
) -> None:
    line = add(shopper, make_product().id, 2).json()
    response = shopper.patch(f"{ITEMS}{line['id']}/", {"quantity": quantity})
    assert invalid_fields(response) == {"quantity"}
    assert shopper.get(ITEMS).json()[0]["quantity"] == 2


def test_emptying_the_cart_forgets_it(shopper: APIClient, make_product: MakeProduct) -> None:
    add(shopper, make_product().id)
    assert shopper.delete(CART).status_code == 204
    assert shopper.get(CART).json()["id"] is None
    assert shopper.delete(CART).status_code == 204


@pytest.mark.parametrize(("method", "data"), [("patch", {"quantity": 1}), ("delete", None)])
def test_a_line_that_nobody_or_another_user_has_is_not_found(
    shopper: APIClient,
    bo: User,
    as_user: Callable[[User], APIClient],
    make_product: MakeProduct,
    method: str,
    data: Any,
) -> None:
    bos = add(as_user(bo), make_product().id, 3).json()
    for item_id in (bos["id"], new_id()):
        response = getattr(shopper, method)(f"{ITEMS}{item_id}/", data)
        assert_problem(response, 404, "not_found")
    assert as_user(bo).get(ITEMS).json() == [bos]


def test_the_cart_of_another_user_is_invisible(
    shopper: APIClient, bo: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> None:
    add(as_user(bo), make_product().id, 3)
    assert shopper.get(CART).json()["items"] == []
    assert shopper.get(ITEMS).json() == []
    assert shopper.delete(CART).status_code == 204
    assert as_user(bo).get(CART).json()["total"] == "30.00"


def test_a_token_outlives_its_account_but_fills_no_cart(
    ana: User, shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    User.objects.for_user(ana.id).delete()
    assert_problem(add(shopper, product.id), 403, "account_closed")


CHANGES: dict[str, Callable[[APIClient, str, dict[str, str]], Any]] = {
    "a quantity": lambda client, line, seen: client.patch(line, {"quantity": 9}, headers=seen),
    "a removal": lambda client, line, seen: client.delete(line, headers=seen),
    "the end": lambda client, line, seen: client.delete(CART, headers=seen),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_cart_that_has_changed_since_it_was_read_is_left_alone(
    shopper: APIClient, make_product: MakeProduct, change: Callable[..., Any]
) -> None:
    line = add(shopper, make_product("a").id, 2).headers["Location"]
    seen = {"If-Match": shopper.get(CART).headers["ETag"]}
    add(shopper, make_product("b").id)
    before = shopper.get(CART)
    assert_problem(change(shopper, line, seen), 412, "precondition_failed")
    assert shopper.get(CART).json() == before.json()
    seen = {"If-Match": f'"x", {before.headers["ETag"]}'}
    assert change(shopper, line, seen).status_code in (200, 204)
    assert shopper.get(CART).json() != before.json()


def test_a_chain_of_changes_is_held_against_the_etag_that_each_answers(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    line = f"{ITEMS}{add(shopper, make_product().id, 1).json()['id']}/"
    etag = shopper.get(CART).headers["ETag"]
    for quantity in (2, 3, 4):
        changed = shopper.patch(line, {"quantity": quantity}, headers={"If-Match": etag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag
        etag = changed.headers["ETag"]
    assert shopper.get(CART).headers["ETag"] == etag
    # Without If-Match none is answered: it would be the line's own, which nothing is held against.
    assert "ETag" not in shopper.patch(line, {"quantity": 1}).headers


def test_a_cart_that_was_never_opened_has_a_version_too(shopper: APIClient) -> None:
    seen = shopper.get(CART).headers["ETag"]
    assert shopper.delete(CART, headers={"If-Match": seen}).status_code == 204
    refused = shopper.delete(CART, headers={"If-Match": '"x"'})
    assert_problem(refused, 412, "precondition_failed")
    assert shopper.delete(CART, headers={"If-Match": "*"}).status_code == 204


def test_a_cart_that_is_unchanged_is_not_sent_again(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    add(shopper, make_product("a").id)
    seen = {"If-None-Match": shopper.get(CART).headers["ETag"]}
    assert shopper.get(CART, headers=seen).status_code == 304
    add(shopper, make_product("b").id)
    assert shopper.get(CART, headers=seen).status_code == 200


def test_without_if_match_nothing_more_is_read(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    line = add(shopper, make_product().id, 2).headers["Location"]
    with statements(4):  # whether the account is open is one
        shopper.patch(line, {"quantity": 3})
    with statements(3):
        shopper.delete(line)


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_what_both_have_read_one_is_made(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    line = add(shopper, make_product().id, 2).headers["Location"]
    seen = {"If-Match": shopper.get(CART).headers["ETag"]}
    with beside(
        *[
            lambda quantity=quantity: shopper.patch(line, {"quantity": quantity}, headers=seen)
            for quantity in (3, 4, 5)
        ]
    ) as answers:
        pass
    assert sorted(answer.result().status_code for answer in answers) == [200, 412, 412]


def test_an_addition_with_a_key_is_made_once_however_often_it_is_sent(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    body, key = {"product_id": make_product().id, "quantity": 2}, {"Idempotency-Key": "one"}
    first, second = (shopper.post(ITEMS, body, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json(), second["Location"]) == (first.json(), first["Location"])
    assert second["Idempotent-Replayed"] == "true"
    assert [line["quantity"] for line in shopper.get(ITEMS).json()] == [2]
    other = shopper.post(ITEMS, {**body, "quantity": 3}, headers=key)
    assert_problem(other, 422, "idempotency_key_reused")


def test_an_addition_without_a_key_is_made_each_time(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    product = make_product()
    assert "Idempotent-Replayed" not in add(shopper, product.id, 2)
    add(shopper, product.id, 2)
    assert [line["quantity"] for line in shopper.get(ITEMS).json()] == [4]


def test_a_cart_is_full_at_its_hundredth_line_and_can_still_be_ordered(
    shopper: APIClient, make_product: MakeProduct
) -> None:
    ids = [make_product(f"book {number}", stock=2).id for number in range(103)]
    answers = [shopper.post("/api/cart/items/", {"product_id": pid}) for pid in ids]
    assert [answer.status_code for answer in answers] == [201] * 100 + [409] * 3
    assert_problem(answers[-1], 409, "too_many_lines")
    assert shopper.post("/api/cart/items/", {"product_id": ids[0]}).status_code == 201
    key = {"Idempotency-Key": "all of it"}
    placed = shopper.post("/api/orders/", {"payment_method": "card"}, headers=key)
    assert placed.status_code == 201
    assert len(placed.json()["items"]) == 100
