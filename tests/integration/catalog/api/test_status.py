"""What is not active is neither seen nor sold; orders keep what they sold."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from shop.accounts.models import User
from shop.catalog.entry import MAX_DESCRIPTION
from shop.catalog.models import Product
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

PRODUCTS = "/api/products/"
AsUser = Callable[[User], APIClient]
Status = Product.Status
NOT_FOR_SALE = [Status.DRAFT, Status.ARCHIVED]


def names(client: APIClient, query: str = "") -> list[str]:
    return [one["name"] for one in client.get(f"{PRODUCTS}{query}").json()["results"]]


def order(buyer: APIClient) -> Any:
    body = {"payment_method": "card", "payment_token": "tok_success"}
    return buyer.post("/api/orders/", body, headers={"Idempotency-Key": uuid4().hex})


@pytest.mark.parametrize("status", NOT_FOR_SALE)
def test_a_product_that_is_taken_off_sale_is_gone_for_customers_at_once(
    client: APIClient, as_user: AsUser, sam: User, make_product: MakeProduct, status: str
) -> None:
    mug = make_product("Mug", stock=7)
    url, staff = f"{PRODUCTS}{mug.id}/", as_user(sam)
    assert names(client) == ["Mug"]
    assert client.get(url).status_code == 200
    assert staff.patch(url, {"status": status}).json()["status"] == status
    assert names(client) == []
    assert client.get(url).status_code == 404
    assert client.get(f"{url}reviews/").status_code == 404
    assert staff.get(url).json()["status"] == status
    assert names(staff, f"?status={status}") == ["Mug"]
    assert names(client, f"?status={status}") == []
    staff.patch(url, {"status": "active"})
    assert names(client) == ["Mug"]
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("status", NOT_FOR_SALE)
def test_nobody_puts_it_in_a_cart_on_a_wishlist_or_reviews_it(
    as_user: AsUser, ana: User, make_product: MakeProduct, status: str
) -> None:
    mug = make_product("Mug", stock=7)
    Product.objects.filter(id=mug.id).update(status=status)
    buyer, body = as_user(ana), {"product_id": mug.id}
    assert buyer.post("/api/cart/items/", body).status_code == 404
    assert buyer.post("/api/wishlist/items/", body).status_code == 404
    assert buyer.post(f"{PRODUCTS}{mug.id}/reviews/", {"rating": 5}).status_code == 404


def test_a_cart_says_what_is_not_for_sale_any_more_and_is_not_ordered(
    as_user: AsUser, ana: User, make_product: MakeProduct
) -> None:
    mug, jug = make_product("Mug", stock=7), make_product("Jug", stock=7)
    buyer = as_user(ana)
    for product in (mug, jug):
        buyer.post("/api/cart/items/", {"product_id": product.id})
        buyer.post("/api/wishlist/items/", {"product_id": product.id})
    Product.objects.filter(id=mug.id).update(status=Status.ARCHIVED)
    shown = {one["name"]: one["for_sale"] for one in buyer.get("/api/cart/").json()["items"]}
    assert shown == {"Mug": False, "Jug": True}
    answer = order(buyer)
    assert (answer.status_code, answer.json()["code"]) == (409, "product_unavailable")
    assert answer.json()["lines"] == [{"product_id": mug.id}]
    assert (available(mug.id), available(jug.id)) == (7, 7)


def test_an_order_keeps_what_it_sold(as_user: AsUser, ana: User, make_product: MakeProduct) -> None:
    mug, buyer = make_product("Mug", stock=7), as_user(ana)
    buyer.post("/api/cart/items/", {"product_id": mug.id})
    placed = order(buyer).json()
    Product.objects.filter(id=mug.id).update(status=Status.ARCHIVED)
    assert buyer.get(f"/api/orders/{placed['id']}/").json()["items"] == placed["items"]


def test_what_is_not_counted_is_sold_whatever_lies_on_its_shelf(
    client: APIClient, as_user: AsUser, sam: User, ana: User, make_product: MakeProduct
) -> None:
    gift, buyer = make_product("Wrapping"), as_user(ana)
    as_user(sam).patch(f"{PRODUCTS}{gift.id}/", {"track_inventory": False})
    assert names(client, "?in_stock=true") == ["Wrapping"]
    assert names(client, "?in_stock=false") == []
    shelf = as_user(sam).get(f"{PRODUCTS}{gift.id}/stock/").json()
    assert shelf == {"product_id": gift.id, "available": 0, "track_inventory": False}
    buyer.post("/api/cart/items/", {"product_id": gift.id, "quantity": 3})
    placed = order(buyer)
    assert placed.status_code == 201
    assert available(gift.id) == 0
    # Counted from now on: what was never taken does not come back.
    Product.objects.filter(id=gift.id).update(track_inventory=True)
    cancel = f"/api/orders/{placed.json()['id']}/cancel/"
    assert buyer.post(cancel, headers={"Idempotency-Key": uuid4().hex}).status_code == 200
    assert available(gift.id) == 0
    assert drift() == []


def test_a_put_without_a_status_puts_nothing_back_on_sale(
    as_user: AsUser, sam: User, make_product: MakeProduct
) -> None:
    mug = make_product("Mug")
    Product.objects.filter(id=mug.id).update(status=Status.ARCHIVED, track_inventory=False)
    body = {"name": "Mug", "price": "9.00", "category_id": mug.category_id}
    answer = as_user(sam).put(f"{PRODUCTS}{mug.id}/", body).json()
    assert (answer["status"], answer["track_inventory"]) == ("archived", False)


def test_names_that_differ_in_signs_or_not_at_all_get_slugs_of_their_own(
    as_user: AsUser, sam: User, make_product: MakeProduct
) -> None:
    """The client sent no slug: it cannot be told that one is taken."""
    category_id, staff = make_product("Any").category_id, as_user(sam)
    wanted = ["Kit C++", "Kit C#", "🎁", "🎂", "T-Shirt", "T Shirt", "t shirt", "!", "?"]
    slugs = []
    for name in wanted:
        body = {"name": name, "price": "1.00", "category_id": category_id}
        answer = staff.post(PRODUCTS, body)
        assert answer.status_code == 201, answer.json()
        slugs.append(answer.json()["slug"])
    assert slugs == [
        "kit-c-plus-plus",
        "kit-c-sharp",
        "wrapped-present",
        "birthday-cake",
        "t-shirt",
        "t-shirt-2",
        "t-shirt-3",
        "product",
        "product-2",
    ]


def test_a_description_that_is_served_can_be_sent_back(
    as_user: AsUser, sam: User, make_product: MakeProduct
) -> None:
    mug = make_product("Mug")
    Product.objects.filter(id=mug.id).update(description="word " * 4_999 + "word")
    url, staff = f"{PRODUCTS}{mug.id}/", as_user(sam)
    shown = staff.get(url).json()
    fields = ("name", "slug", "description", "price", "category_id")
    assert staff.put(url, {name: shown[name] for name in fields}).status_code == 200


def test_the_longest_description_can_be_searched_whatever_its_words(
    as_user: AsUser, sam: User, make_product: MakeProduct
) -> None:
    """No text of this length comes near the megabyte that a tsvector holds."""
    words = " ".join(f"ж{number:05d}ю" for number in range(MAX_DESCRIPTION // 8))
    url = f"{PRODUCTS}{make_product('Mug').id}/"
    assert as_user(sam).patch(url, {"description": words}).status_code == 200
    assert names(as_user(sam), "?search=ж00007ю") == ["Mug"]
