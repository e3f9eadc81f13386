"""What a user does in the shop, so that every room has something of theirs."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.catalog.models import Product
from shop.notifications.models import SentMail
from shop.reviews.models import Review


def live(client: APIClient, user: User, products: Sequence[Product]) -> None:
    """Order all products twice, review and wish for each, and leave one in the cart."""
    for key in ("key-1", "key-2"):
        for product in products:
            put_into_cart(client, product)
        assert order(client, key).status_code == 201
    for product in products:
        Review.objects.create(
            product=product, user_id=user.id, rating=5, comment=f"by {user.username}"
        )
        wish = client.post("/api/wishlist/items/", {"product_id": product.id})
        assert wish.status_code == 201
    put_into_cart(client, products[0])
    SentMail.objects.create(
        user_id=user.id, kind="shipped", subject_id=new_id(), sent_at=timezone.now()
    )


def put_into_cart(client: APIClient, product: Product) -> None:
    answer = client.post("/api/cart/items/", {"product_id": product.id})
    assert answer.status_code == 201


def order(client: APIClient, key: str) -> Any:
    body = {"payment_method": "card", "payment_token": "tok_success"}
    return client.post("/api/orders/", body, headers={"Idempotency-Key": key})
