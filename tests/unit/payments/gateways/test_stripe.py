"""Stripe through its own SDK, with a server that plays Stripe."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from shop.payments.gateways.base import GatewayRefused, Standing
from shop.payments.gateways.stripe import Stripe, smallest_units
from tests.unit.payments.gateways.conftest import CHARGE, PAYMENT
from tests.unit.payments.gateways.stub import Stub


@pytest.fixture
def stripe(stub: Stub) -> Stripe:
    return Stripe(api_key="sk_test_none", api_base=stub.url, timeout=0.5)


def intent(status: str, *, refunded: bool = False) -> dict[str, Any]:
    charge = {"id": "ch_1", "object": "charge", "refunded": refunded}
    return {"id": "pi_1", "object": "payment_intent", "status": status, "latest_charge": charge}


def found(*intents: dict[str, Any]) -> str:
    return json.dumps({"object": "search_result", "data": list(intents), "has_more": False})


def error(kind: str, **members: str) -> str:
    return json.dumps({"error": {"type": kind, "message": "No.", **members}})


def test_a_charge_is_a_payment_intent_under_the_payments_id(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded")))
    assert stripe.charge(**CHARGE) == Standing.SUCCEEDED
    [asked] = stub.requests
    sent = {name: values[0] for name, values in parse_qs(asked.body).items()}
    assert (asked.method, asked.path) == ("POST", "/v1/payment_intents")
    assert asked.headers["idempotency-key"] == str(PAYMENT)
    assert asked.headers["authorization"] == "Bearer sk_test_none"
    assert sent["amount"] == "1230"
    assert sent["currency"] == "eur"
    assert sent["confirm"] == "true"
    assert sent["payment_method"] == "tok_success"
    assert sent["metadata[payment_id]"] == str(PAYMENT)


def test_a_declined_card(stub: Stub, stripe: Stripe) -> None:
    stub.will(402, error("card_error", code="card_declined"))
    assert stripe.charge(**CHARGE) == Standing.DECLINED


def test_a_token_that_is_none(stub: Stub, stripe: Stripe) -> None:
    refusal = error("invalid_request_error", code="resource_missing", param="payment_method")
    stub.will(400, refusal)
    assert stripe.charge(**CHARGE) == Standing.DECLINED
    assert stripe.charge(**CHARGE | {"token": ""}) == Standing.DECLINED
    assert len(stub.requests) == 1


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_an_answer_that_says_nothing(stub: Stub, stripe: Stripe, status: int) -> None:
    stub.will(status, error("api_error"))
    assert stripe.charge(**CHARGE) == Standing.UNKNOWN
    assert len(stub.requests) == 1, "the SDK must not try again by itself"


def test_no_answer_in_time(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded")), after=1.0)
    assert stripe.charge(**CHARGE) == Standing.UNKNOWN
    assert len(stub.requests) == 1


def test_money_that_is_still_moving(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("processing")))
    assert stripe.charge(**CHARGE) == Standing.UNKNOWN


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (401, "invalid_request_error")]
)
def test_what_we_asked_wrongly(stub: Stub, stripe: Stripe, status: int, kind: str) -> None:
    stub.will(status, error(kind))
    with pytest.raises(GatewayRefused):
        stripe.charge(**CHARGE)


@pytest.mark.parametrize(
    ("intents", "standing"),
    [
        ([], Standing.ABSENT),
        ([intent("succeeded")], Standing.SUCCEEDED),
        ([intent("succeeded", refunded=True)], Standing.REFUNDED),
        ([intent("requires_payment_method")], Standing.DECLINED),
        ([intent("canceled")], Standing.DECLINED),
        ([intent("processing")], Standing.UNKNOWN),
    ],
    ids=["none", "succeeded", "refunded", "declined", "cancelled", "processing"],
)
def test_how_a_payment_stands(
    stub: Stub, stripe: Stripe, intents: list[dict[str, Any]], standing: Standing
) -> None:
    stub.will(200, found(*intents))
    assert stripe.status(payment_id=PAYMENT) == standing
    assert f"metadata['payment_id']:'{PAYMENT}'" in unquote(stub.requests[0].path)


def test_a_refund_has_a_key_of_its_own(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, found(intent("succeeded")))
    stub.will(200, json.dumps({"id": "re_1", "object": "refund", "status": "succeeded"}))
    assert stripe.refund(payment_id=PAYMENT) == Standing.REFUNDED
    asked = stub.requests[1]
    assert asked.path == "/v1/refunds"
    assert asked.headers["idempotency-key"] == f"refund-{PAYMENT}"
    assert parse_qs(asked.body)["payment_intent"] == ["pi_1"]


def test_what_was_refunded_before(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, found(intent("succeeded", refunded=True)))
    assert stripe.refund(payment_id=PAYMENT) == Standing.REFUNDED
    stub.will(200, found(intent("succeeded")))
    stub.will(400, error("invalid_request_error", code="charge_already_refunded"))
    assert stripe.refund(payment_id=PAYMENT) == Standing.REFUNDED


def test_there_is_nothing_to_refund(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, found())
    assert stripe.refund(payment_id=PAYMENT) == Standing.ABSENT


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("12.30", "EUR", 1230), ("0.01", "USD", 1), ("1200.00", "JPY", 1200)],
)
def test_amounts_are_whole_numbers(amount: str, currency: str, units: int) -> None:
    assert smallest_units(Decimal(amount), currency) == units
