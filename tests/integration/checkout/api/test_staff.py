"""Orders and payments in the hands of staff, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils.http import parse_http_date
from rest_framework.test import APIClient

from sharding.ids import new_id, new_id_of
from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.core.roles import Role
from shop.inventory.selectors import available, drift
from shop.orders.models import Order
from shop.orders.services import create_order
from shop.payments.models import Payment
from tests.conftest import PASSWORD
from tests.integration.checkout.state import history_of, payments_of, status_of, topics_of
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

Change = Callable[..., Any]
Refund = Callable[..., Any]


@pytest.fixture
def path(placed: dict[str, Any]) -> str:
    return f"/api/staff/orders/{placed['id']}/"


@pytest.fixture
def change(support: APIClient, path: str) -> Change:
    """Give Ana's order another status."""

    def patch(status: str, **headers: str) -> Any:
        return support.patch(path, {"order_status": status}, headers=headers)

    return patch


@pytest.fixture
def refund(support: APIClient, payment: Payment) -> Refund:
    """Refund Ana's payment, under a key."""

    def post(key: str | None = "refund-1", **changes: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return support.post(f"/api/payments/{payment.id}/refund/", changes, headers=headers)

    return post


def test_staff_see_an_order_with_its_payments_and_its_history(
    ana: User, support: APIClient, path: str, placed: dict[str, Any], payment: Payment, tell: Any
) -> None:
    tell(payment, "succeeded")
    body = support.get(path).json()
    assert (body["user_id"], body["id"]) == (str(ana.id), placed["id"])
    assert body["items"] == placed["items"]
    assert [(row["id"], row["status"]) for row in body["payments"]] == [
        (str(payment.id), "succeeded")
    ]
    assert "tok_success" not in support.get(path).content.decode()
    assert [(event["status"], event["details"]) for event in body["events"]] == [
        ("pending", {}),
        ("paid", {"by": "gateway"}),
    ]


def test_a_paid_order_is_shipped_and_delivered(
    ana: User, payment: Payment, tell: Any, change: Change
) -> None:
    tell(payment, "succeeded")
    for status in ("shipped", "delivered"):
        response = change(status)
        assert response.status_code == 200, response.content
        body = response.json()
        assert (body["order_status"], body["events"][-1]["status"]) == (status, status)
        assert body["events"][-1]["details"]["by"] == "staff"
    assert payments_of(ana) == ["succeeded"]
    assert topics_of(ana) == ["order.paid", "order.shipped", "order.delivered"]


def test_staff_cancel_an_order_and_its_units_return(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, change: Change
) -> None:
    tell(payment, "succeeded")
    assert change("cancelled").status_code == 200
    assert available(placed["items"][0]["product_id"]) == 5
    assert payments_of(ana) == ["refund_due"]
    assert topics_of(ana) == ["order.paid", "order.cancelled", "payment.refund_due"]
    assert drift() == []


@pytest.mark.parametrize("before", [["shipped"], ["shipped", "delivered"], []])
def test_staff_refund_an_order_and_its_units_do_not_return(
    ana: User,
    placed: dict[str, Any],
    payment: Payment,
    tell: Any,
    change: Change,
    before: list[str],
) -> None:
    tell(payment, "succeeded")
    for status in [*before, "refunded"]:
        assert change(status).status_code == 200
    assert available(placed["items"][0]["product_id"]) == 3
    assert payments_of(ana) == ["refund_due"]
    assert topics_of(ana)[-2:] == ["order.refunded", "payment.refund_due"]
    assert drift() == []


@pytest.mark.parametrize("status", ["shipped", "delivered", "refunded"])
def test_what_the_table_does_not_allow_is_refused(
    ana: User, placed: dict[str, Any], change: Change, status: str
) -> None:
    body = assert_problem(change(status), 409, "invalid_transition")
    assert (body["from"], body["to"]) == ("pending", status)
    assert status_of(ana, placed["id"]) == "pending"
    assert (payments_of(ana), history_of(ana), topics_of(ana)) == (["pending"], [], [])


@pytest.mark.parametrize("status", ["pending", "paid", "lost", "", None, 1, ["shipped"]])
def test_staff_give_no_status_but_theirs(change: Change, status: Any) -> None:
    assert invalid_fields(change(status)) == {"order_status"}


def test_an_order_that_has_changed_since_staff_read_it_is_left_alone(
    ana: User,
    support: APIClient,
    path: str,
    placed: dict[str, Any],
    payment: Payment,
    tell: Any,
    change: Change,
) -> None:
    read = support.get(path).headers["ETag"]
    tell(payment, "succeeded")
    assert_problem(change("shipped", **{"If-Match": read}), 412, "precondition_failed")
    assert status_of(ana, placed["id"]) == "paid"
    read = support.get(path).headers["ETag"]
    assert change("shipped", **{"If-Match": read}).status_code == 200


def test_an_order_is_found_by_its_number_whoever_placed_it(
    support: APIClient, path: str, placed: dict[str, Any]
) -> None:
    assert support.get(path).json()["id"] == placed["id"]
    assert_problem(support.get(f"/api/staff/orders/{new_id()}/"), 404, "not_found")


def test_a_cancellation_answers_what_can_be_read_then_and_its_etag(
    ana: User, as_user: Any, placed: dict[str, Any]
) -> None:
    shopper, path = as_user(ana), f"/api/orders/{placed['id']}/"
    cancelled = shopper.post(f"{path}cancel/", {}, headers={"Idempotency-Key": "cancel"})
    read = shopper.get(path)
    assert cancelled.json() == read.json()
    assert cancelled.headers["ETag"] == read.headers["ETag"]


def test_an_order_from_before_numbers_told_whose_they_are_is_found_too(
    ana: User, support: APIClient
) -> None:
    old = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=[])
    assert support.get(f"/api/staff/orders/{old.id}/").json()["user_id"] == str(ana.id)


def test_a_number_that_carries_a_users_mark_but_is_none_of_theirs_is_not_found(
    ana: User, support: APIClient
) -> None:
    made_up = new_id_of(ana.id)
    assert_problem(support.get(f"/api/staff/orders/{made_up}/"), 404, "not_found")
    refund = f"/api/payments/{made_up}/refund/"
    assert_problem(support.post(refund, {}, headers={"Idempotency-Key": "k"}), 404, "not_found")


def test_the_path_that_names_the_user_still_answers_and_says_until_when(
    ana: User, support: APIClient, path: str, placed: dict[str, Any]
) -> None:
    as_it_was = f"/api/staff/orders/{ana.id}/{placed['id']}/"
    old, new = support.get(as_it_was), support.get(path)
    assert old.content == new.content
    assert (old.headers["Deprecation"][0], old.headers["Sunset"][-3:]) == ("@", "GMT")
    since = int(old.headers["Deprecation"][1:])
    assert parse_http_date(old.headers["Sunset"]) - since >= 180 * 24 * 3600
    assert "Deprecation" not in new.headers
    assert support.patch(as_it_was, {"order_status": "cancelled"}).status_code == 200


def test_an_update_answers_the_etag_that_the_next_one_is_held_against(
    support: APIClient, path: str, payment: Payment, tell: Any
) -> None:
    tell(payment, "succeeded")
    etag = support.get(path).headers["ETag"]
    for status in ("shipped", "delivered"):
        changed = support.patch(path, {"order_status": status}, headers={"If-Match": etag})
        assert changed.status_code == 200
        etag = changed.headers["ETag"]
    assert support.get(path).headers["ETag"] == etag


def test_an_order_is_found_under_its_own_user_alone(
    bo: User, ana: User, support: APIClient, placed: dict[str, Any]
) -> None:
    for user_id, order_id in ((bo.id, placed["id"]), (ana.id, new_id()), (new_id(), new_id())):
        other = f"/api/staff/orders/{user_id}/{order_id}/"
        assert_problem(support.get(other), 404, "not_found")
        assert_problem(support.patch(other, {"order_status": "cancelled"}), 404, "not_found")


def test_a_refund_ends_the_order_and_its_money_is_due_until_it_has_moved(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, refund: Refund
) -> None:
    tell(payment, "succeeded")
    response = refund(amount="70.00")
    assert response.status_code == 200, response.content
    assert (response.json()["id"], response.json()["status"]) == (str(payment.id), "refund_due")
    assert status_of(ana, placed["id"]) == "refunded"
    assert payments_of(ana) == ["refund_due"]
    assert topics_of(ana) == ["order.paid", "order.refunded", "payment.refund_due"]
    assert available(placed["items"][0]["product_id"]) == 3
    (_, details) = history_of(ana)[-1]
    assert details["by"] == "staff"
    tell(payment, "refunded")
    assert payments_of(ana) == ["refunded"]


def test_the_same_refund_again_is_one_refund(
    ana: User, payment: Payment, tell: Any, refund: Refund
) -> None:
    tell(payment, "succeeded")
    first, second = refund(), refund()
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"
    body = assert_problem(refund("refund-2"), 409, "invalid_transition")
    assert (body["from"], body["to"]) == ("refund_due", "refund_due")
    assert topics_of(ana).count("payment.refund_due") == 1


@pytest.mark.parametrize("told", ["", "failed"])
def test_what_was_not_paid_is_not_refunded(
    ana: User, placed: dict[str, Any], payment: Payment, tell: Any, refund: Refund, told: str
) -> None:
    if told:
        tell(payment, told)
    before = topics_of(ana)
    body = assert_problem(refund(), 409, "invalid_transition")
    assert (body["from"], body["to"]) == (told or "pending", "refund_due")
    assert status_of(ana, placed["id"]) == "pending"
    assert topics_of(ana) == before


@pytest.mark.parametrize("amount", ["69.99", "70.01", "0.00"])
def test_a_part_is_not_refunded(
    ana: User, payment: Payment, tell: Any, refund: Refund, amount: str
) -> None:
    tell(payment, "succeeded")
    assert_problem(refund(amount=amount), 422, "partial_refund")
    assert payments_of(ana) == ["succeeded"]


@pytest.mark.parametrize(
    ("field", "value"), [("user_id", "x"), ("user_id", None), ("amount", "-1"), ("amount", "1.001")]
)
def test_an_unacceptable_field_is_named(refund: Refund, field: str, value: Any) -> None:
    assert invalid_fields(refund(**{field: value})) == {field}


def test_without_a_key_nothing_is_refunded(
    ana: User, payment: Payment, tell: Any, refund: Refund
) -> None:
    tell(payment, "succeeded")
    assert_problem(refund(None), 400, "idempotency_key_missing")
    assert payments_of(ana) == ["succeeded"]


def test_a_payment_is_found_under_its_own_user_alone(
    ana: User, bo: User, payment: Payment, tell: Any, refund: Refund
) -> None:
    tell(payment, "succeeded")
    assert_problem(refund(user_id=str(bo.id)), 404, "not_found")
    assert payments_of(ana) == ["succeeded"]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.CATALOG_MANAGER])
def test_nobody_else_gets_in(
    ana: User, as_user: Callable[[User], APIClient], path: str, payment: Payment, role: Role
) -> None:
    client = as_user(
        ana
        if role == Role.CUSTOMER
        else accounts.register(
            username="max", email="max@example.com", password=PASSWORD, role=role
        )
    )
    key = {"Idempotency-Key": "k"}
    refund = f"/api/payments/{payment.id}/refund/"
    for response in (
        client.get("/api/staff/orders/"),
        client.get(path),
        client.patch(path, {"order_status": "cancelled"}),
        client.post(refund, {"user_id": str(ana.id)}, headers=key),
    ):
        assert_problem(response, 403, "permission_denied")
    assert Order.objects.for_user(ana.id).get().order_status == "pending"
