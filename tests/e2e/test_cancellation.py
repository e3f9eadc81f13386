"""Orders that are cancelled and paid at the same moment: one end, and every unit accounted for."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shop.config.environment import load
from shop.payments.signatures import sign
from tests.e2e.conftest import at_once

NewUser = Callable[[], httpx.Client]
NewProduct = Callable[[int], int]
Rows = Callable[..., list[Any]]

LEDGER = "SELECT reason, sum(delta) FROM inventory_stockmovement WHERE order_id = %s GROUP BY 1"
SHELF = """
SELECT available = (SELECT sum(delta) FROM inventory_stockmovement WHERE product_id = %s)
FROM inventory_stock WHERE product_id = %s
"""
TOPICS = """
SELECT topic, count(*) FROM core_outboxevent
WHERE user_id = %s AND payload ->> 'order_id' = %s GROUP BY 1
"""


@pytest.fixture
def tell(http: httpx.Client) -> Callable[..., httpx.Response]:
    """Tell what became of a payment, as the gateway does."""
    secret = load().required("PAYMENT_WEBHOOK_SECRET")

    def told(user_id: str, payment_id: str, what: str, event_id: str = "") -> httpx.Response:
        event = {
            "id": event_id or str(uuid4()),
            "type": f"payment.{what}",
            "data": {"user_id": user_id, "payment_id": payment_id},
        }
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "Webhook-Signature": sign(body, secret=secret, at=int(time.time())),
        }
        return http.post("/api/payments/webhook/", content=body, headers=headers)

    return told


class Placed:
    """An order of two units of a product, with its payment and the shop as its buyer sees it."""

    def __init__(self, buyer: httpx.Client, product: int) -> None:
        self.buyer, self.product = buyer, product
        wanted = {"product_id": product, "quantity": 2}
        assert buyer.post("/api/cart/items/", json=wanted).status_code == 201
        key = {"Idempotency-Key": "place"}
        answer = buyer.post("/api/orders/", json={"payment_method": "card"}, headers=key)
        assert answer.status_code == 201, answer.text
        self.id: str = answer.json()["id"]
        (payment,) = buyer.get(f"/api/orders/{self.id}/payments/").json()
        self.payment_id: str = payment["id"]
        self.user_id: str = buyer.get("/api/users/me/").json()["id"]

    def cancel(self, key: str) -> httpx.Response:
        path = f"/api/orders/{self.id}/cancel/"
        return self.buyer.post(path, headers={"Idempotency-Key": key})

    def states(self) -> tuple[str, list[str]]:
        order = self.buyer.get(f"/api/orders/{self.id}/").json()
        payments = self.buyer.get(f"/api/orders/{self.id}/payments/").json()
        return order["order_status"], [payment["status"] for payment in payments]


@pytest.fixture
def placed(new_user: NewUser, new_product: NewProduct) -> Placed:
    return Placed(new_user(), new_product(10))


@pytest.mark.parametrize("attempt", range(5))
def test_an_order_cancelled_by_8_and_paid_at_once_is_cancelled_once(
    placed: Placed, tell: Any, rows: Rows, attempt: int
) -> None:
    def ask(number: int) -> httpx.Response:
        if number == 8:
            return tell(placed.user_id, placed.payment_id, "succeeded")
        return placed.cancel(f"cancel {number}")

    *cancels, paid = at_once(ask, 9)

    assert Counter(answer.status_code for answer in cancels) == {200: 1, 409: 7}
    refused = [answer.json() for answer in cancels if answer.status_code == 409]
    assert {(problem["code"], problem["from"]) for problem in refused} == {
        ("invalid_transition", "cancelled")
    }
    assert (paid.status_code, paid.json()["new"]) == (200, True)
    # Whichever came first: the units are back once, and the money goes back once.
    status, payments = placed.states()
    assert status == "cancelled"
    assert payments in (["refund_due"], ["refunded"])
    assert dict(rows(LEDGER, placed.id)) == {"order": -2, "cancellation": 2}
    assert rows(SHELF, placed.product, placed.product) == [(True,)]
    told = dict(rows(TOPICS, placed.user_id, placed.id))
    assert (told["order.cancelled"], told["payment.refund_due"]) == (1, 1)
    assert told.get("order.paid", 0) <= 1


def test_one_cancellation_sent_20_times_at_once_happens_once(placed: Placed, rows: Rows) -> None:
    answers = at_once(lambda _: placed.cancel("same"), 20)

    done = [answer for answer in answers if answer.status_code == 200]
    waiting = [answer for answer in answers if answer.status_code != 200]
    assert len({answer.text for answer in done}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in done) == 1
    assert {(answer.status_code, answer.json()["code"]) for answer in waiting} <= {
        (409, "in_progress")
    }
    status, [payment] = placed.states()
    # The worker may have been charging it: then its money goes back.
    assert (status, payment in {"failed", "refund_due", "refunded"}) == ("cancelled", True)
    assert dict(rows(LEDGER, placed.id)) == {"order": -2, "cancellation": 2}


def test_one_event_of_the_gateway_told_16_times_at_once_pays_once(
    placed: Placed, tell: Any, rows: Rows
) -> None:
    event_id = str(uuid4())
    answers = at_once(lambda _: tell(placed.user_id, placed.payment_id, "succeeded", event_id), 16)
    assert {answer.status_code for answer in answers} == {200}
    assert Counter(answer.json()["new"] for answer in answers) == {True: 1, False: 15}
    assert placed.states() == ("paid", ["succeeded"])
    assert dict(rows(TOPICS, placed.user_id, placed.id))["order.paid"] == 1


def test_an_order_is_refunded_once_however_many_staff_insist(
    placed: Placed, tell: Any, sam: httpx.Client, rows: Rows
) -> None:
    assert tell(placed.user_id, placed.payment_id, "succeeded").status_code == 200
    path, body = f"/api/payments/{placed.payment_id}/refund/", {"user_id": placed.user_id}
    keys = [f"refund {placed.payment_id} {number}" for number in range(8)]

    answers = at_once(lambda n: sam.post(path, json=body, headers={"Idempotency-Key": keys[n]}), 8)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert placed.states() in (("refunded", ["refund_due"]), ("refunded", ["refunded"]))
    assert dict(rows(TOPICS, placed.user_id, placed.id))["payment.refund_due"] == 1
    assert dict(rows(LEDGER, placed.id)) == {"order": -2}


def test_staff_find_an_order_among_those_of_all_users(placed: Placed, sam: httpx.Client) -> None:
    newest = sam.get("/api/staff/orders/", params={"page_size": 100})
    assert placed.id in [order["id"] for order in newest.json()["results"]]
    assert int(newest.headers["X-Shards-Asked"]) >= 1
    own = sam.get("/api/staff/orders/", params={"user_id": placed.user_id})
    assert [order["id"] for order in own.json()["results"]] == [placed.id]
    assert own.headers["X-Shards-Asked"] == "1"
