"""A deleted account leaves its orders, and nothing that tells whose they were."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from rest_framework.test import APIClient

from sharding.django.models import ShardedQuerySet
from shop.accounts import tokens
from shop.accounts.models import Identity, User
from shop.catalog.models import Product
from shop.core import dead_letters, outbox
from shop.core.models import OutboxEvent
from shop.core.roles import Role
from shop.payments.models import Payment
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.core.assertions import assert_problem, invalid_fields
from tests.integration.privacy.lives import live, order, put_into_cart

pytestmark = pytest.mark.django_db

ME = "/api/users/me/"

# Every table that names a user, and what becomes of its rows. A new one has to be decided on.
FORGOTTEN = {
    "accounts.Identity",
    "accounts.Mark",
    "accounts.RefreshToken",
    "carts.CartItem",
    "carts.ShoppingCart",
    "core.IdempotencyKey",
    "notifications.SentMail",
    "reviews.Review",
    "wishlists.Wishlist",
    "wishlists.WishlistItem",
}
KEPT = {
    "core.DeadLetter": "work that failed, by ids; for the operator to run again or drop",
    "core.OutboxEvent": "those that somebody waits for are work still to be done",
    "orders.Order": "the books",
    "orders.OrderEvent": "the books",
    "orders.OrderItem": "the books",
    "payments.Payment": "the books; without the payment token",
    "payments.WebhookEvent": "keeps an event of the gateway from having its effect twice",
    "webhooks.WebhookDelivery": "what merchants were told of orders; expires by itself",
    "admin.LogEntry": "what staff did; customers have none",
}


@pytest.fixture
def goods(make_product: MakeProduct) -> list[Product]:
    return [make_product(name, stock=50) for name in ("pen", "ink")]


@pytest.fixture
def as_ana(ana: User, as_user: Callable[[User], APIClient], goods: list[Product]) -> APIClient:
    client = as_user(ana)
    live(client, ana, goods)
    return client


def delete(client: APIClient, password: Any = PASSWORD) -> Any:
    return client.delete(ME, {"password": password})


def rows_of(user: User) -> dict[str, int]:
    counts = {}
    for model in apps.get_models():
        if "user_id" in {field.attname for field in model._meta.concrete_fields}:
            rows: Any = model._default_manager.all()
            rows = rows.cross_shard() if isinstance(rows, ShardedQuerySet) else rows
            counts[model._meta.label] = rows.filter(user_id=user.id).count()
    return counts


def test_what_becomes_of_each_table_that_names_a_user_is_decided(ana: User) -> None:
    assert rows_of(ana).keys() == FORGOTTEN | KEPT.keys()


def test_deleting_forgets_all_but_the_books(as_ana: APIClient, ana: User) -> None:
    before = rows_of(ana)
    assert all(before[label] for label in FORGOTTEN), before
    response = delete(as_ana)
    assert (response.status_code, response.content) == (204, b"")
    after = rows_of(ana)
    assert {label: after[label] for label in FORGOTTEN} == dict.fromkeys(FORGOTTEN, 0)
    assert {label: after[label] for label in KEPT} == {label: before[label] for label in KEPT}


def test_the_row_that_stays_tells_nothing(as_ana: APIClient, ana: User) -> None:
    as_ana.patch(ME, {"first_name": "Ana", "last_name": "Lima"})
    old_hash = ana.password
    delete(as_ana)
    ana.refresh_from_db()
    assert ana.username == f"deleted-{ana.id.hex}"
    assert ana.email == f"{ana.id.hex}@deleted.invalid"
    assert (ana.first_name, ana.last_name, ana.is_active) == ("", "", False)
    assert ana.deleted_at is not None
    assert ana.password != old_hash
    assert not ana.has_usable_password()


def test_others_lose_nothing(
    as_ana: APIClient, bo: User, as_user: Callable[[User], APIClient], goods: list[Product]
) -> None:
    live(as_user(bo), bo, goods)
    before = rows_of(bo)
    delete(as_ana)
    assert rows_of(bo) == before


def test_after_it_nobody_logs_in_refreshes_reads_or_orders(
    as_ana: APIClient, ana: User, client: APIClient, goods: list[Product]
) -> None:
    refresh = tokens.issue(ana).refresh
    delete(as_ana)
    given = {"username": "ana", "password": PASSWORD}
    assert_problem(client.post("/api/auth/login/", given), 401, "invalid_credentials")
    assert_problem(client.post("/api/auth/refresh/", {"refresh": refresh}), 401, "invalid_token")
    assert client.post("/api/auth/logout/", {"refresh": refresh}).status_code == 204
    assert_problem(order(as_ana, "key-9"), 403, "account_closed")
    assert_problem(as_ana.get(ME), 403, "account_closed")
    assert_problem(as_ana.get(f"{ME}export/"), 403, "account_closed")
    assert_problem(delete(as_ana), 403, "account_closed")


def test_the_names_can_be_registered_again(as_ana: APIClient, client: APIClient) -> None:
    delete(as_ana)
    body = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
    again = client.post("/api/auth/register/", body)
    assert again.status_code == 201
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {again.json()['access']}")
    assert client.get("/api/orders/").json()["results"] == []


@pytest.mark.parametrize("password", ["wrong", ""])
def test_without_the_password_nothing_is_deleted(
    as_ana: APIClient, ana: User, password: str
) -> None:
    before = rows_of(ana)
    assert invalid_fields(delete(as_ana, password)) == {"password"}
    assert invalid_fields(as_ana.delete(ME)) == {"password"}
    assert rows_of(ana) == before


def test_the_token_of_a_payment_stays_until_it_is_settled_also_after_the_deletion(
    as_ana: APIClient, ana: User
) -> None:
    settled, due = Payment.objects.for_user(ana.id).order_by("id")
    settled.become("succeeded")
    delete(as_ana)
    tokens = Payment.objects.for_user(ana.id).order_by("id").values_list("token", flat=True)
    assert list(tokens) == ["", "tok_success"]
    due.become("failed")
    assert list(tokens.all()) == ["", ""]


def test_events_go_when_nobody_waits_for_them_any_more(as_ana: APIClient, ana: User) -> None:
    events = OutboxEvent.objects.for_user(ana.id)
    dealt_with, waited_for = events.order_by("id")
    events.filter(id=dealt_with.id).update(due_at=None, waiting_for=[])
    events.filter(id=waited_for.id).update(published_at=timezone.now(), due_at=timezone.now())
    delete(as_ana)
    assert [event.id for event in events.all()] == [waited_for.id]


def test_a_refund_that_was_given_up_can_still_be_made_after_the_account_is_gone(
    as_ana: APIClient, ana: User
) -> None:
    due = outbox.publish(user_id=ana.id, topic="payment.refund_due", payload={"payment_id": "x"})
    letter = dead_letters.bury_delivery(
        user_id=ana.id,
        event_id=due.id,
        subscriber="checkout.refund_payment",
        error="the gateway is away",
        tries=1,
    )
    assert letter
    delete(as_ana)
    assert dead_letters.replay(letter)
    event = OutboxEvent.objects.for_user(ana.id).get(topic="payment.refund_due")
    assert event.waiting_for == ["checkout.refund_payment"]
    assert event.payload == {"payment_id": "x"}


def test_a_deletion_that_fails_deletes_nothing(
    as_ana: APIClient, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.accounts import services

    monkeypatch.setattr(services, "anonymise", lambda user: 1 / 0)
    before = rows_of(ana)
    as_ana.raise_request_exception = False
    assert delete(as_ana).status_code == 500
    assert rows_of(ana) == before


def test_an_admin_has_to_be_demoted_first(sam: User, as_user: Callable[[User], APIClient]) -> None:
    client = as_user(sam)
    assert_problem(delete(client), 409, "own_account")
    User.objects.for_user(sam.id).update(role=Role.SUPPORT)
    assert delete(client).status_code == 204


def test_a_deleted_account_cannot_be_brought_back(
    as_ana: APIClient, ana: User, sam: User, as_user: Callable[[User], APIClient]
) -> None:
    delete(as_ana)
    response = as_user(sam).patch(f"/api/users/{ana.id}/", {"is_active": True})
    assert_problem(response, 409, "account_deleted")
    assert not Identity.objects.cross_shard().filter(user_id=ana.id).exists()


def test_a_cart_of_now_goes_too(as_ana: APIClient, ana: User, goods: list[Product]) -> None:
    put_into_cart(as_ana, goods[1])
    delete(as_ana)
    assert as_ana.get("/api/cart/").json()["items"] == []
