"""Everything that is known of a user, in one answer, and nothing of anybody else."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.accounts import tokens
from shop.accounts.models import User
from shop.core.openapi.views import parsed_document
from shop.payments.models import Payment
from shop.reviews.models import Review
from tests.conftest import MakeProduct
from tests.integration.core.assertions import assert_problem
from tests.integration.privacy.lives import live

pytestmark = pytest.mark.django_db

EXPORT = "/api/users/me/export/"


@pytest.fixture
def exported(
    ana: User, bo: User, as_user: Callable[[User], APIClient], make_product: MakeProduct
) -> Any:
    products = [make_product(name, stock=50) for name in ("pen", "ink")]
    for user in (ana, bo):
        live(as_user(user), user, products)
    response = as_user(ana).get(EXPORT)
    assert response.status_code == 200
    return response


def test_the_export_holds_all_that_a_user_left(exported: Any, ana: User) -> None:
    body = exported.json()
    assert body["profile"]["username"] == "ana"
    assert body["profile"]["email"] == "ana@example.com"
    assert [row["value"] for row in body["identities"]] == ["email:ana@example.com", "username:ana"]
    assert [len(cart["items"]) for cart in body["carts"]] == [1]
    assert [len(wishlist["items"]) for wishlist in body["wishlists"]] == [2]
    assert len(body["orders"]) == 2
    assert len(body["idempotency_keys"]) == 2
    assert [row["comment"] for row in body["reviews"]] == ["by ana", "by ana"]
    assert len(body["sessions"]) >= 1
    assert body["sessions"][0].keys() == {"started_at", "last_renewed_at", "expires_at"}


def test_an_order_comes_with_its_lines_events_and_payments(exported: Any) -> None:
    order = exported.json()["orders"][0]
    assert [item["product_name"] for item in order["items"]] == ["pen", "ink"]
    assert order["total_amount"] == "20.00"
    assert [event["status"] for event in order["events"]] == ["pending"]
    (payment,) = order["payments"]
    assert payment["amount"] == "20.00"
    assert payment["payment_method"] == "card"


def test_the_document_types_every_column_that_is_handed_out(exported: Any) -> None:
    schemas = parsed_document()["components"]["schemas"]
    order = exported.json()["orders"][0]
    rows = {
        "Export": exported.json(),
        "ExportedUser": exported.json()["profile"],
        "ExportedOrder": order,
        "ExportedPayment": order["payments"][0],
    }
    for name, row in rows.items():
        assert row.keys() == schemas[name]["properties"].keys()


def test_no_secret_is_handed_out(exported: Any, ana: User) -> None:
    text = exported.content.decode()
    assert '"password"' not in text
    assert ana.password not in text
    assert "tok_success" not in text
    assert Payment.objects.for_user(ana.id).filter(token="tok_success").exists()
    for row in ana_tokens(ana):
        assert str(row) not in text
    assert "key-1" not in text


def ana_tokens(ana: User) -> list[Any]:
    from shop.accounts.models import RefreshToken

    rows = list(RefreshToken.objects.for_user(ana.id))
    assert rows
    return [value for row in rows for value in (row.id, row.family_id)]


def test_nothing_of_anybody_else_is_handed_out(exported: Any, bo: User) -> None:
    text = exported.content.decode()
    assert "bo@example.com" not in text
    assert str(bo.id) not in text
    assert "by bo" not in text
    assert Review.objects.cross_shard().filter(user_id=bo.id).count() == 2


def test_the_export_is_a_file_that_nobody_keeps(exported: Any) -> None:
    assert exported.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert "no-store" in exported.headers["Cache-Control"]


def test_a_user_who_did_nothing_has_little_to_export(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    body = as_user(ana).get(EXPORT).json()
    for name in ("carts", "wishlists", "orders", "reviews", "idempotency_keys"):
        assert body[name] == []


def test_a_session_is_shown_once_however_often_it_was_renewed(
    ana: User, as_user: Callable[[User], APIClient]
) -> None:
    client = as_user(ana)
    tokens.rotate(refresh=tokens.rotate(refresh=tokens.issue(ana).refresh).refresh)
    sessions = client.get(EXPORT).json()["sessions"]
    assert len(sessions) == 2
    assert sessions[1]["started_at"] < sessions[1]["last_renewed_at"] < sessions[1]["expires_at"]


def test_a_closed_account_exports_nothing(ana: User, as_user: Callable[[User], APIClient]) -> None:
    client = as_user(ana)
    User.objects.for_user(ana.id).update(is_active=False)
    assert_problem(client.get(EXPORT), 403, "account_closed")


def test_the_mails_that_were_sent_are_in_the_export(exported: Any) -> None:
    assert [mail["kind"] for mail in exported.json()["mails"]] == ["shipped"]


def test_which_member_of_staff_did_something_is_not_told(
    exported: Any, ana: User, sam: User, as_user: Callable[[User], APIClient]
) -> None:
    path = f"/api/staff/orders/{ana.id}/{exported.json()['orders'][0]['id']}/"
    assert as_user(sam).patch(path, {"order_status": "cancelled"}).status_code == 200
    answer = as_user(ana).get(EXPORT)
    assert answer.json()["orders"][0]["events"][-1]["details"] == {"by": "staff"}
    assert str(sam.id) not in answer.content.decode()


def test_who_exports_too_often_is_told_when_to_come_back(
    ana: User, bo: User, as_user: Callable[[User], APIClient], settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"export": "2/day"}
    answers = [as_user(ana).get(EXPORT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert as_user(bo).get(EXPORT).status_code == 200
