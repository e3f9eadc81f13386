"""What the sandbox answers, in the shop's words."""

import json
from collections.abc import Iterator

import pytest

from shop.payments.gateways.base import GatewayRefused, Report, Standing
from shop.payments.gateways.sandbox import Sandbox
from tests.unit.payments.gateways.conftest import CHARGE, PAYMENT
from tests.unit.payments.gateways.stub import Stub


@pytest.fixture
def sandbox(stub: Stub) -> Iterator[Sandbox]:
    client = Sandbox(url=stub.url, key="the key", timeout=0.3)
    yield client
    client.close()


def test_a_charge_carries_the_payments_id_as_its_key(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(201, '{"status": "succeeded", "id": "ch_1"}')
    assert sandbox.charge(**CHARGE) == Report(Standing.SUCCEEDED, "ch_1")
    [asked] = stub.requests
    assert (asked.method, asked.path) == ("POST", "/charges")
    assert asked.headers["idempotency-key"] == str(PAYMENT)
    assert asked.headers["authorization"] == "Bearer the key"
    assert json.loads(asked.body) == {
        "amount": "12.30",
        "currency": "EUR",
        "token": "tok_success",
        "metadata": {"user_id": str(CHARGE["user_id"]), "payment_id": str(PAYMENT)},
    }


@pytest.mark.parametrize(
    ("status", "body", "standing"),
    [
        (402, '{"status": "declined", "id": "ch_1"}', Standing.DECLINED),
        (500, "", Standing.UNKNOWN),
        (503, "", Standing.UNKNOWN),
        (429, "", Standing.UNKNOWN),
        (201, "<html>", Standing.UNKNOWN),
        (201, '{"status": "of another kind", "id": "ch_1"}', Standing.UNKNOWN),
        (201, '{"status": "succeeded"}', Standing.UNKNOWN),
        (201, "[]", Standing.UNKNOWN),
    ],
)
def test_what_a_charge_may_be_answered(
    stub: Stub, sandbox: Sandbox, status: int, body: str, standing: Standing
) -> None:
    stub.will(status, body)
    assert sandbox.charge(**CHARGE).standing == standing


def test_an_answer_that_does_not_come_in_time_says_nothing(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(201, '{"status": "succeeded"}', after=0.6)
    assert sandbox.charge(**CHARGE) == Report(Standing.UNKNOWN)


def test_a_gateway_that_is_not_there_says_nothing() -> None:
    nobody = Sandbox(url="http://127.0.0.1:1", key="", timeout=0.3)
    assert nobody.charge(**CHARGE) == Report(Standing.UNKNOWN)
    assert nobody.status(payment_id=PAYMENT, provider_ref="") == Report(Standing.UNKNOWN)
    assert nobody.refund(payment_id=PAYMENT, provider_ref="") == Report(Standing.UNKNOWN)
    nobody.close()


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_what_we_asked_wrongly_is_refused_for_good(
    stub: Stub, sandbox: Sandbox, status: int
) -> None:
    stub.will(status)
    with pytest.raises(GatewayRefused, match=str(status)):
        sandbox.charge(**CHARGE)


@pytest.mark.parametrize("said", ["succeeded", "declined", "refunded"])
def test_how_a_payment_stands(stub: Stub, sandbox: Sandbox, said: str) -> None:
    for _ in range(2):
        stub.will(200, json.dumps({"status": said, "id": "ch_1"}))
    assert sandbox.status(payment_id=PAYMENT, provider_ref="") == (said, "ch_1")
    assert sandbox.status(payment_id=PAYMENT, provider_ref="ch_1") == (said, "ch_1")
    assert [asked.path for asked in stub.requests] == [f"/charges/{PAYMENT}", "/charges/ch_1"]


def test_a_payment_that_it_does_not_know_was_not_charged(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(404)
    assert sandbox.status(payment_id=PAYMENT, provider_ref="") == Report(Standing.ABSENT)


@pytest.mark.parametrize(
    ("status", "said", "standing"),
    [(200, "refunded", Standing.REFUNDED), (409, "declined", Standing.DECLINED)],
)
def test_a_refund(stub: Stub, sandbox: Sandbox, status: int, said: str, standing: Standing) -> None:
    stub.will(status, json.dumps({"status": said, "id": "ch_1"}))
    assert sandbox.refund(payment_id=PAYMENT, provider_ref="ch_1") == (standing, "ch_1")
    assert stub.requests[0].path == "/charges/ch_1/refund"
