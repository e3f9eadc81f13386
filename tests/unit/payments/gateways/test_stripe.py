"""Stripe through its own SDK, with a server that plays Stripe."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from shop.payments.gateways.base import GatewayRefused, Report, Standing
from shop.payments.gateways.stripe import Stripe
from tests.unit.payments.gateways.conftest import CHARGE, PAYMENT
from tests.unit.payments.gateways.stub import Stub


@pytest.fixture
def stripe(stub: Stub) -> Stripe:
    return Stripe(api_key="sk_test_none", api_base=stub.url, timeout=0.5)


def intent(status: str, *, refund: str = "") -> dict[str, Any]:
    refunds = [{"id": "re_1", "object": "refund", "status": refund}] if refund else []
    charge = {
        "id": "ch_1",
        "object": "charge",
        "refunded": bool(refund),
        "refunds": {"object": "list", "data": refunds},
    }
    return {"id": "pi_1", "object": "payment_intent", "status": status, "latest_charge": charge}


def results(*intents: dict[str, Any]) -> str:
    return json.dumps({"object": "search_result", "data": list(intents), "has_more": False})


def error(kind: str, **members: str) -> str:
    return json.dumps({"error": {"type": kind, "message": "No.", **members}})


def test_a_charge_is_a_payment_intent_under_the_payments_id(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded")))
    assert stripe.charge(**CHARGE) == Report(Standing.SUCCEEDED, "pi_1")
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
    assert stripe.charge(**CHARGE) == Report(Standing.DECLINED)


def test_a_token_that_is_none(stub: Stub, stripe: Stripe) -> None:
    refusal = error("invalid_request_error", code="resource_missing", param="payment_method")
    stub.will(400, refusal)
    assert stripe.charge(**CHARGE) == Report(Standing.DECLINED)
    assert stripe.charge(**CHARGE | {"token": ""}) == Report(Standing.DECLINED)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_an_answer_that_says_nothing(stub: Stub, stripe: Stripe, status: int) -> None:
    stub.will(status, error("api_error"))
    assert stripe.charge(**CHARGE) == Report(Standing.UNKNOWN)
    assert len(stub.requests) == 1, "the SDK must not try again by itself"


def test_no_answer_in_time(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded")), after=1.0)
    assert stripe.charge(**CHARGE) == Report(Standing.UNKNOWN)
    assert len(stub.requests) == 1


def test_money_that_is_still_moving(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("processing")))
    assert stripe.charge(**CHARGE) == Report(Standing.UNKNOWN, "pi_1")


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (401, "invalid_request_error")]
)
def test_what_we_asked_wrongly(stub: Stub, stripe: Stripe, status: int, kind: str) -> None:
    stub.will(status, error(kind))
    with pytest.raises(GatewayRefused):
        stripe.charge(**CHARGE)


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        (intent("succeeded"), Standing.SUCCEEDED),
        (intent("succeeded", refund="succeeded"), Standing.REFUNDED),
        (intent("succeeded", refund="pending"), Standing.UNKNOWN),
        (intent("requires_payment_method"), Standing.DECLINED),
        (intent("canceled"), Standing.DECLINED),
        (intent("processing"), Standing.UNKNOWN),
    ],
    ids=["succeeded", "refunded", "refund on its way", "declined", "cancelled", "processing"],
)
def test_how_a_payment_stands_is_read_by_its_id_and_searched_for_without_one(
    stub: Stub, stripe: Stripe, found: dict[str, Any], standing: Standing
) -> None:
    stub.will(200, json.dumps(found))
    assert stripe.status(payment_id=PAYMENT, provider_ref="pi_1") == Report(standing, "pi_1")
    stub.will(200, results(found))
    assert stripe.status(payment_id=PAYMENT, provider_ref="") == Report(standing, "pi_1")
    by_id, searched = (unquote(asked.path) for asked in stub.requests)
    assert by_id.startswith("/v1/payment_intents/pi_1?")
    assert f"metadata['payment_id']:'{PAYMENT}'" in searched


def test_what_the_search_does_not_find_is_absent(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, results())
    assert stripe.status(payment_id=PAYMENT, provider_ref="") == Report(Standing.ABSENT)


@pytest.mark.parametrize(
    ("status", "standing"), [("succeeded", Standing.REFUNDED), ("pending", Standing.UNKNOWN)]
)
def test_a_refund_has_a_key_of_its_own(
    stub: Stub, stripe: Stripe, status: str, standing: Standing
) -> None:
    stub.will(200, json.dumps(intent("succeeded")))
    stub.will(200, json.dumps({"id": "re_1", "object": "refund", "status": status}))
    assert stripe.refund(payment_id=PAYMENT, provider_ref="pi_1") == Report(standing, "pi_1")
    asked = stub.requests[1]
    assert asked.path == "/v1/refunds"
    assert asked.headers["idempotency-key"] == f"refund-{PAYMENT}"
    assert parse_qs(asked.body)["payment_intent"] == ["pi_1"]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_did_not_work_is_a_case_for_a_person(
    stub: Stub, stripe: Stripe, status: str
) -> None:
    stub.will(200, json.dumps(intent("succeeded")))
    stub.will(200, json.dumps({"id": "re_1", "object": "refund", "status": status}))
    with pytest.raises(GatewayRefused, match=status):
        stripe.refund(payment_id=PAYMENT, provider_ref="pi_1")


def test_what_was_refunded_before(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded", refund="succeeded")))
    refunded = Report(Standing.REFUNDED, "pi_1")
    assert stripe.refund(payment_id=PAYMENT, provider_ref="pi_1") == refunded
    stub.will(200, json.dumps(intent("succeeded")))
    stub.will(400, error("invalid_request_error", code="charge_already_refunded"))
    assert stripe.refund(payment_id=PAYMENT, provider_ref="pi_1") == refunded


def test_there_is_nothing_to_refund(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, results())
    assert stripe.refund(payment_id=PAYMENT, provider_ref="") == Report(Standing.ABSENT)


def test_the_amount_is_sent_in_the_currencys_own_units(stub: Stub, stripe: Stripe) -> None:
    stub.will(200, json.dumps(intent("succeeded")))
    stripe.charge(**CHARGE | {"amount": Decimal("18.60"), "currency": "KWD"})
    assert parse_qs(stub.requests[0].body)["amount"] == ["18600"]


def test_no_other_amount_is_charged_instead_of_one_that_cannot_be(
    stub: Stub, stripe: Stripe
) -> None:
    with pytest.raises(GatewayRefused, match=r"12\.30 JPY"):
        stripe.charge(**CHARGE | {"currency": "JPY"})
    assert stub.requests == []


@pytest.mark.parametrize("code", ["amount_too_small", "amount_too_large"])
def test_an_amount_that_stripe_does_not_take_is_declined(
    stub: Stub, stripe: Stripe, code: str
) -> None:
    stub.will(400, error("invalid_request_error", code=code, param="amount"))
    assert stripe.charge(**CHARGE) == Report(Standing.DECLINED)
