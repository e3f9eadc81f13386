"""A server that plays the provider, and a payment."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.unit.payments.gateways.stub import Stub, serving

PAYMENT = UUID("01998f6e-5c1e-7c39-9d55-2f6a2f0c1b7e")
CHARGE: dict[str, Any] = {
    "payment_id": PAYMENT,
    "user_id": UUID(int=7),
    "amount": Decimal("12.30"),
    "currency": "EUR",
    "method": "card",
    "token": "tok_success",
}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as provider:
        yield provider
