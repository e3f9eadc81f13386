"""The payment gateway's webhook, over HTTP."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts import tokens
from shop.accounts.models import User
from shop.payments.models import Payment, WebhookEvent
from shop.payments.signatures import sign
from tests.integration.checkout.state import payments_of, status_of
from tests.integration.core.assertions import assert_problem, invalid_fields

pytestmark = pytest.mark.django_db

PATH = "/api/payments/webhook/"
SECRET = "what the gateway signs with"

Send = Callable[..., Any]


@pytest.fixture
def event(ana: User, payment: Payment) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "type": "payment.succeeded",
        "data": {"user_id": str(ana.id), "payment_id": str(payment.id)},
    }


@pytest.fixture
def send(client: APIClient, settings: Any) -> Send:
    """Send a body, signed as the gateway does unless told otherwise."""
    settings.PAYMENT_WEBHOOK_SECRET = SECRET
    settings.PAYMENT_WEBHOOK_TOLERANCE = timedelta(seconds=300)

    def post(event: Any, *, signature: str | None = None, age: int = 0, **headers: str) -> Any:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        if signature is None:
            signature = sign(body, secret=SECRET, at=int(time.time()) - age)
        headers["Webhook-Signature"] = signature
        return client.generic("POST", PATH, body, content_type="application/json", headers=headers)

    return post


def test_a_signed_event_has_its_effect(
    ana: User, placed: dict[str, Any], event: dict[str, Any], send: Send
) -> None:
    response = send(event)
    assert response.status_code == 200, response.content
    assert response.json() == {"id": "evt_1", "new": True}
    assert (status_of(ana, placed["id"]), payments_of(ana)) == ("paid", ["succeeded"])
    recorded = WebhookEvent.objects.for_user(ana.id).get()
    assert (recorded.event_id, recorded.type) == ("evt_1", "payment.succeeded")
    assert str(recorded.payment_id) == event["data"]["payment_id"]


def test_an_event_that_is_sent_again_is_answered_and_changes_nothing(
    ana: User, event: dict[str, Any], send: Send
) -> None:
    send(event)
    other = event | {"type": "payment.refunded"}
    for again in (send(event), send(event, age=10), send(other)):
        assert (again.status_code, again.json()) == (200, {"id": "evt_1", "new": False})
    assert payments_of(ana) == ["succeeded"]


@pytest.mark.parametrize("signature", ["", "x", "t=1,v1=00", f"t={10**11},v1={'0' * 64}"])
def test_a_wrong_signature_is_refused(
    ana: User, event: dict[str, Any], send: Send, signature: str
) -> None:
    response = send(event, signature=signature)
    assert_problem(response, 401, "invalid_signature")
    assert response.headers["WWW-Authenticate"] == "Webhook-Signature"
    assert payments_of(ana) == ["pending"]


def test_a_signature_holds_for_its_body_alone(ana: User, event: dict[str, Any], send: Send) -> None:
    other = json.dumps(event | {"id": "evt_2"}).encode()
    stolen = sign(other, secret=SECRET, at=int(time.time()))
    assert_problem(send(event, signature=stolen), 401, "invalid_signature")
    assert payments_of(ana) == ["pending"]


@pytest.mark.parametrize("age", [310, -310])
def test_a_signature_of_another_time_is_refused(
    ana: User, event: dict[str, Any], send: Send, age: int
) -> None:
    assert_problem(send(event, age=age), 400, "signature_expired")
    assert payments_of(ana) == ["pending"]


def test_a_stack_without_a_secret_believes_nobody(
    ana: User, event: dict[str, Any], send: Send, settings: Any
) -> None:
    settings.PAYMENT_WEBHOOK_SECRET = ""
    unkeyed = sign(json.dumps(event).encode(), secret="", at=int(time.time()))
    assert_problem(send(event, signature=unkeyed), 401, "invalid_signature")
    assert_problem(send(event), 401, "invalid_signature")
    assert payments_of(ana) == ["pending"]


def test_an_access_token_opens_nothing_here_and_harms_nothing(
    ana: User, sam: User, event: dict[str, Any], send: Send
) -> None:
    bearer = f"Bearer {tokens.issue(sam).access}"
    assert_problem(send(event, signature="", Authorization=bearer), 401, "invalid_signature")
    assert payments_of(ana) == ["pending"]
    assert send(event, Authorization="Bearer nonsense").status_code == 200


def test_a_payment_that_nobody_or_another_user_has_is_not_found(
    ana: User, bo: User, event: dict[str, Any], send: Send
) -> None:
    for changes in (
        {"payment_id": str(new_id())},
        {"user_id": str(bo.id)},
        {"user_id": str(new_id())},
    ):
        unknown = event | {"data": event["data"] | changes}
        assert_problem(send(unknown), 404, "not_found")
    assert payments_of(ana) == ["pending"]
    assert send(event).json()["new"] is True


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"id": "a\0"}, "id"),
        ({"id": None}, "id"),
        ({"type": "payment.lost"}, "type"),
        ({"type": None}, "type"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"data": {"payment_id": str(new_id())}}, "data.user_id"),
        ({"data": {"user_id": str(new_id()), "payment_id": "x"}}, "data.payment_id"),
    ],
)
def test_an_unacceptable_field_is_named(
    event: dict[str, Any], send: Send, changes: dict[str, Any], field: str
) -> None:
    assert invalid_fields(send(event | changes)) == {field}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused(send: Send, body: bytes) -> None:
    assert_problem(send(body), 400)
