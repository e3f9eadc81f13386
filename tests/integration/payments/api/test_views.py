"""The caller's payments, over HTTP."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.services import create_order
from shop.payments.models import Payment
from shop.payments.services import create_payment
from tests.integration.core.assertions import assert_problem, statements

pytestmark = pytest.mark.django_db

PAYMENTS = "/api/payments/"


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


def pay(user: User, amount: str = "7.50") -> Payment:
    order = create_order(user_id=user.id, order_id=new_id(), cart_id=new_id(), lines=[])
    return create_payment(
        user_id=user.id,
        order_id=order.id,
        amount=Decimal(amount),
        payment_method="card",
        token="tok_secret",
    )


def test_a_payment_shows_its_fields_and_never_its_token(ana: User, shopper: APIClient) -> None:
    payment = pay(ana)
    with statements(1):
        response = shopper.get(f"{PAYMENTS}{payment.id}/")
    body = response.json()
    assert body.pop("created_at") <= body.pop("updated_at")
    assert body == {
        "id": str(payment.id),
        "order_id": str(payment.order_id),
        "payment_method": "card",
        "amount": "7.50",
        "currency": "EUR",
        "status": "pending",
    }
    assert "tok_secret" not in response.content.decode()


def test_payments_are_paged_the_newest_first(ana: User, shopper: APIClient) -> None:
    made = [str(pay(ana).id) for _ in range(5)]
    seen, url = [], f"{PAYMENTS}?page_size=2"
    while url:
        with statements(1):
            page = shopper.get(url).json()
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == made[::-1]


def test_the_payments_of_another_user_are_invisible(shopper: APIClient, bo: User) -> None:
    payment = pay(bo)
    assert shopper.get(PAYMENTS).json()["results"] == []
    for payment_id in (payment.id, new_id()):
        assert_problem(shopper.get(f"{PAYMENTS}{payment_id}/"), 404, "not_found")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_payment_cannot_be_changed_by_hand(ana: User, shopper: APIClient, method: str) -> None:
    payment = pay(ana)
    response = getattr(shopper, method)(f"{PAYMENTS}{payment.id}/", {"status": "succeeded"})
    assert_problem(response, 405, "method_not_allowed")
