"""The payments of an order, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.orders.models import Order
from shop.payments.models import Payment
from tests.integration.checkout.state import payments_of, topics_of
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

Pay = Callable[..., Any]


@pytest.fixture
def pay(shopper: APIClient) -> Pay:
    """Begin a payment of one of Ana's orders, under a key."""

    def post(order_id: object, key: str | None = "pay-1", **changes: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"payment_method": "paypal", "payment_token": "tok_2"} | changes
        return shopper.post(f"/api/orders/{order_id}/payments/", body, headers=headers)

    return post


def test_after_a_failed_payment_the_order_can_be_paid_again(
    ana: User, shopper: APIClient, placed: dict[str, Any], payment: Payment, tell: Any, pay: Pay
) -> None:
    tell(payment, "failed")
    response = pay(placed["id"])
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["status"], body["amount"], body["payment_method"]) == (
        "pending",
        "70.00",
        "paypal",
    )
    assert response.headers["Location"] == f"/api/payments/{body['id']}/"
    assert shopper.get(response.headers["Location"]).json() == body
    second = Payment.objects.for_user(ana.id).get(id=body["id"])
    assert (second.token, str(second.order_id)) == ("tok_2", placed["id"])
    assert "tok_" not in response.content.decode()
    assert topics_of(ana) == ["payment.failed", "payment.due"]
    assert shopper.get(f"/api/orders/{placed['id']}/").json()["payment_status"] == "pending"
    tell(second, "succeeded")
    assert payments_of(ana) == ["failed", "succeeded"]
    assert shopper.get(f"/api/orders/{placed['id']}/").json()["payment_status"] == "succeeded"
    listed = shopper.get(f"/api/orders/{placed['id']}/payments/").json()
    assert [row["status"] for row in listed] == ["failed", "succeeded"]


def test_the_same_request_again_begins_no_second_payment(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, pay: Pay
) -> None:
    tell(payment, "failed")
    first, second = pay(placed["id"]), pay(placed["id"])
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert payments_of(ana) == ["failed", "pending"]


@pytest.mark.parametrize("told", [[], ["succeeded"], ["succeeded", "refunded"]])
def test_what_is_being_paid_or_was_paid_is_not_due(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, pay: Pay, told: list[str]
) -> None:
    for what in told:
        tell(payment, what)
    assert_problem(pay(placed["id"]), 409, "payment_not_due")
    assert len(payments_of(ana)) == 1


@pytest.mark.parametrize("status", sorted(set(Order.Status.values) - {"pending"}))
def test_only_a_pending_order_waits_for_money(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, pay: Pay, status: str
) -> None:
    tell(payment, "failed")
    Order.objects.for_user(ana.id).update(order_status=status)
    assert_problem(pay(placed["id"]), 409, "payment_not_due")
    assert payments_of(ana) == ["failed"]


def test_without_a_key_nothing_is_paid(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, pay: Pay
) -> None:
    tell(payment, "failed")
    assert_problem(pay(placed["id"], None), 400, "idempotency_key_missing")
    assert payments_of(ana) == ["failed"]


@pytest.mark.parametrize(("field", "value"), [("payment_method", "cash"), ("payment_token", "")])
def test_an_unacceptable_field_is_named(
    placed: dict[str, Any], pay: Pay, field: str, value: str
) -> None:
    assert invalid_fields(pay(placed["id"], **{field: value})) == {field}


def test_the_order_of_nobody_or_another_user_is_not_found(
    bo: User, as_user: Callable[[User], APIClient], placed: dict[str, Any], pay: Pay
) -> None:
    assert_problem(pay(new_id()), 404, "not_found")
    client, path = as_user(bo), f"/api/orders/{placed['id']}/payments/"
    headers = {"Idempotency-Key": "k"}
    assert_problem(client.get(path), 404, "not_found")
    assert_problem(client.post(path, {"payment_method": "card"}, headers=headers), 404, "not_found")
