"""Transfers received and refunds paid out by staff, over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.django.cluster import shard_count
from shop.accounts.models import User
from shop.payments.models import Payment
from tests.integration.checkout.state import payments_of, status_of
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

REFUNDS = "/api/staff/refunds/"


@pytest.fixture
def transfer(ana: User, payment: Payment) -> Payment:
    """The payment of Ana's order, which comes by bank transfer."""
    Payment.objects.for_user(ana.id).update(payment_method="bank_transfer")
    payment.refresh_from_db()
    return payment


def say(staff: APIClient, payment: Payment, what: str, key: str = "k", **changes: Any) -> Any:
    body = {"user_id": str(payment.user_id)} | changes
    path = f"/api/payments/{payment.id}/{what}/"
    return staff.post(path, body, headers={"Idempotency-Key": key})


def test_a_transfer_is_received_and_paid_out_by_staff(
    ana: User, shopper: APIClient, support: APIClient, placed: dict[str, Any], transfer: Payment
) -> None:
    received = say(support, transfer, "received", reference="MT940 17")
    assert received.status_code == 200, received.content
    assert (received.json()["status"], status_of(ana, placed["id"])) == ("succeeded", "paid")

    cancel = f"/api/orders/{placed['id']}/cancel/"
    assert shopper.post(cancel, headers={"Idempotency-Key": "c"}).status_code == 200
    [due] = support.get(REFUNDS).json()["results"]
    assert (due["id"], due["user_id"]) == (str(transfer.id), str(ana.id))
    assert (due["status"], due["amount"]) == ("refund_due", "70.00")

    paid_out = say(support, transfer, "paid-out", "out", reference="SEPA 4711")
    assert paid_out.json()["status"] == "refunded"
    assert paid_out.json()["paid_out_at"] is not None
    assert say(support, transfer, "paid-out", "out").status_code == 422  # another body
    again = say(support, transfer, "paid-out", "out", reference="SEPA 4711")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert support.get(REFUNDS).json()["results"] == []
    seen = shopper.get(f"/api/payments/{transfer.id}/").json()
    assert seen["status"] == "refunded"
    assert {"provider_ref", "paid_out_at"}.isdisjoint(seen)


def test_what_is_not_due_is_not_paid_out(ana: User, support: APIClient, transfer: Payment) -> None:
    body = assert_problem(say(support, transfer, "paid-out"), 409, "invalid_transition")
    assert (body["from"], body["to"]) == ("pending", "refunded")


def test_a_card_is_not_received_nor_paid_out_while_the_gateway_is_asked(
    ana: User, shopper: APIClient, support: APIClient, placed: Any, payment: Payment, tell: Any
) -> None:
    assert_problem(say(support, payment, "received"), 409, "not_a_transfer")
    tell(payment, "succeeded")
    cancel = f"/api/orders/{placed['id']}/cancel/"
    assert shopper.post(cancel, headers={"Idempotency-Key": "c"}).status_code == 200
    assert_problem(say(support, payment, "paid-out"), 409, "refund_under_way")
    assert payments_of(ana) == ["refund_due"]


@pytest.mark.parametrize("what", ["received", "paid-out"])
def test_an_unacceptable_field_is_named(support: APIClient, transfer: Payment, what: str) -> None:
    assert invalid_fields(say(support, transfer, what, reference="x" * 141)) == {"reference"}
    assert invalid_fields(say(support, transfer, what, user_id="x")) == {"user_id"}


def test_the_refunds_of_one_user_or_method_are_asked_for(
    ana: User, bo: User, support: APIClient, transfer: Payment
) -> None:
    Payment.objects.for_user(ana.id).update(status="refund_due")
    for query, found, shards in (
        ("", 1, shard_count(Payment)),
        (f"?user_id={ana.id}", 1, 1),
        (f"?user_id={bo.id}", 0, 1),
        ("?payment_method=bank_transfer", 1, shard_count(Payment)),
        ("?payment_method=card", 0, shard_count(Payment)),
    ):
        answer = support.get(f"{REFUNDS}{query}")
        assert len(answer.json()["results"]) == found
        assert answer.headers["X-Shards-Asked"] == str(shards)
