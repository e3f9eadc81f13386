"""Cancelling an order, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts.models import User
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.payments.models import Payment
from tests.integration.checkout.state import (
    history_of,
    moved_back,
    payments_of,
    status_of,
    topics_of,
)
from tests.integration.core.assertions import assert_problem, statements

pytestmark = pytest.mark.django_db

Cancel = Callable[..., Any]


@pytest.fixture
def cancel(shopper: APIClient) -> Cancel:
    """Cancel one of Ana's orders, under a key."""

    def post(order_id: object, key: str | None = "cancel-1", **headers: str) -> Any:
        if key is not None:
            headers["Idempotency-Key"] = key
        return shopper.post(f"/api/orders/{order_id}/cancel/", headers=headers)

    return post


def test_a_cancelled_order_gives_everything_back(
    ana: User, shopper: APIClient, placed: dict[str, Any], cancel: Cancel
) -> None:
    response = cancel(placed["id"])
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["order_status"] == "cancelled"
    assert body["items"] == placed["items"]
    assert shopper.get(f"/api/orders/{placed['id']}/").json() == body
    atlas, novel = (item["product_id"] for item in placed["items"])
    assert (available(atlas), available(novel)) == (5, 1)
    assert moved_back(atlas, placed["id"]) == [2]
    assert moved_back(novel, placed["id"]) == [1]
    assert drift() == []
    assert payments_of(ana) == ["failed"]
    assert history_of(ana) == [("cancelled", {"by": "customer"})]
    assert topics_of(ana) == ["order.cancelled"]


def test_a_paid_order_may_be_cancelled_and_its_money_goes_back(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, cancel: Cancel
) -> None:
    tell(payment, "succeeded")
    body = cancel(placed["id"]).json()
    assert (body["order_status"], body["payment_status"]) == ("cancelled", "refund_due")
    assert payments_of(ana) == ["refund_due"]
    assert topics_of(ana) == ["order.paid", "order.cancelled", "payment.refund_due"]
    assert drift() == []


def test_the_same_request_again_gets_the_same_answer_and_gives_nothing_back_twice(
    ana: User, placed: dict[str, Any], cancel: Cancel
) -> None:
    first, second = cancel(placed["id"]), cancel(placed["id"])
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert_problem(cancel(placed["id"], "cancel-2"), 409, "invalid_transition")
    assert available(placed["items"][0]["product_id"]) == 5
    assert topics_of(ana) == ["order.cancelled"]
    assert drift() == []


@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled", "refunded"])
def test_what_is_on_its_way_or_ended_is_not_cancelled(
    ana: User, placed: dict[str, Any], cancel: Cancel, status: str
) -> None:
    Order.objects.for_user(ana.id).update(order_status=status)
    body = assert_problem(cancel(placed["id"]), 409, "invalid_transition")
    assert (body["from"], body["to"]) == (status, "cancelled")
    assert available(placed["items"][0]["product_id"]) == 3
    assert payments_of(ana) == ["pending"]
    assert (history_of(ana), topics_of(ana)) == ([], [])


def test_an_order_that_has_changed_since_it_was_read_is_not_cancelled(
    ana: User, shopper: APIClient, placed: dict[str, Any], payment: Payment, tell: Any, cancel: Any
) -> None:
    read = shopper.get(f"/api/orders/{placed['id']}/").headers["ETag"]
    tell(payment, "succeeded")
    refused = cancel(placed["id"], **{"If-Match": read})
    assert_problem(refused, 412, "precondition_failed")
    assert status_of(ana, placed["id"]) == "paid"
    read = shopper.get(f"/api/orders/{placed['id']}/").headers["ETag"]
    assert cancel(placed["id"], **{"If-Match": read}).status_code == 200


def test_without_a_key_nothing_is_cancelled(
    ana: User, placed: dict[str, Any], cancel: Cancel
) -> None:
    assert_problem(cancel(placed["id"], None), 400, "idempotency_key_missing")
    assert status_of(ana, placed["id"]) == "pending"


def test_the_order_of_nobody_or_another_user_is_not_found(
    ana: User, bo: User, as_user: Callable[[User], APIClient], placed: dict[str, Any], cancel: Any
) -> None:
    assert_problem(cancel(new_id()), 404, "not_found")
    path, headers = f"/api/orders/{placed['id']}/cancel/", {"Idempotency-Key": "k"}
    assert_problem(as_user(bo).post(path, headers=headers), 404, "not_found")
    assert status_of(ana, placed["id"]) == "pending"


def test_cancelling_an_order_of_two_lines_costs_thirteen_statements(
    placed: dict[str, Any], cancel: Cancel
) -> None:
    with statements(13):
        assert cancel(placed["id"]).status_code == 200
