"""What the sandbox answers, in the shop's words."""

import json
from collections.abc import Iterator

import pytest

from shop.payments.gateways.base import GatewayRefused, Standing
from shop.payments.gateways.sandbox import Sandbox
from tests.unit.payments.gateways.conftest import CHARGE, PAYMENT
from tests.unit.payments.gateways.stub import Stub


@pytest.fixture
def sandbox(stub: Stub) -> Iterator[Sandbox]:
    client = Sandbox(url=stub.url, key="the key", timeout=0.3)
    yield client
    client.close()


def test_a_charge_carries_the_payments_id_as_its_key(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(201, '{"status": "succeeded"}')
    assert sandbox.charge(**CHARGE) == Standing.SUCCEEDED
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
        (402, '{"status": "declined"}', Standing.DECLINED),
        (500, "", Standing.UNKNOWN),
        (503, "", Standing.UNKNOWN),
        (429, "", Standing.UNKNOWN),
        (201, "<html>", Standing.UNKNOWN),
        (201, '{"status": "of another kind"}', Standing.UNKNOWN),
        (201, "[]", Standing.UNKNOWN),
    ],
)
def test_what_a_charge_may_be_answered(
    stub: Stub, sandbox: Sandbox, status: int, body: str, standing: Standing
) -> None:
    stub.will(status, body)
    assert sandbox.charge(**CHARGE) == standing


def test_an_answer_that_does_not_come_in_time_says_nothing(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(201, '{"status": "succeeded"}', after=0.6)
    assert sandbox.charge(**CHARGE) == Standing.UNKNOWN


def test_a_gateway_that_is_not_there_says_nothing() -> None:
    nobody = Sandbox(url="http://127.0.0.1:1", key="", timeout=0.3)
    assert nobody.charge(**CHARGE) == Standing.UNKNOWN
    assert nobody.status(payment_id=PAYMENT) == Standing.UNKNOWN
    assert nobody.refund(payment_id=PAYMENT) == Standing.UNKNOWN
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
    stub.will(200, json.dumps({"status": said}))
    assert sandbox.status(payment_id=PAYMENT) == said
    assert stub.requests[0].path == f"/charges/{PAYMENT}"


def test_a_payment_that_it_does_not_know_was_not_charged(stub: Stub, sandbox: Sandbox) -> None:
    stub.will(404)
    assert sandbox.status(payment_id=PAYMENT) == Standing.ABSENT


@pytest.mark.parametrize(
    ("status", "said", "standing"),
    [(200, "refunded", Standing.REFUNDED), (409, "declined", Standing.DECLINED)],
)
def test_a_refund(stub: Stub, sandbox: Sandbox, status: int, said: str, standing: Standing) -> None:
    stub.will(status, json.dumps({"status": said}))
    assert sandbox.refund(payment_id=PAYMENT) == standing
    assert stub.requests[0].path == f"/charges/{PAYMENT}/refund"
