"""A shopper with a filled cart."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from rest_framework.test import APIClient

from sharding.ids import new_id
from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.catalog.models import Product
from shop.checkout.webhook import receive
from shop.core.roles import Role
from shop.payments import gateways
from shop.payments.models import Payment
from tests.conftest import PASSWORD, MakeProduct
from tests.integration.checkout.gateway import FakeGateway

Fill: TypeAlias = Callable[..., None]
Order: TypeAlias = Callable[..., Any]
Tell: TypeAlias = Callable[..., bool]


@pytest.fixture
def shopper(ana: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(ana)


@pytest.fixture
def fill(shopper: APIClient) -> Fill:
    """Put products into Ana's cart, each in its quantity."""

    def put(quantities: dict[Product, int]) -> None:
        for product, quantity in quantities.items():
            body = {"product_id": product.id, "quantity": quantity}
            assert shopper.post("/api/cart/items/", body).status_code == 201

    return put


@pytest.fixture
def order(shopper: APIClient) -> Order:
    """Order what is in Ana's cart, under a key."""

    def post(key: str | None = "key-1", if_match: str = "", **changes: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        headers |= {"If-Match": if_match} if if_match else {}
        return shopper.post("/api/orders/", {"payment_method": "card"} | changes, headers=headers)

    return post


@pytest.fixture
def placed(make_product: MakeProduct, fill: Fill, order: Order) -> dict[str, Any]:
    """An order of Ana's: 2 of 5 atlases and the last novel, 70.00 in all."""
    fill({make_product("Atlas", price="30.00", stock=5): 2, make_product("Novel", stock=1): 1})
    response = order("placing", payment_token="tok_success")
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


@pytest.fixture
def payment(ana: User, placed: dict[str, Any]) -> Payment:
    """The payment that came with Ana's order."""
    found: Payment = Payment.objects.for_user(ana.id).get()
    return found


@pytest.fixture
def support(db: None, as_user: Callable[[User], APIClient]) -> APIClient:
    """A member of staff who looks after orders."""
    user = accounts.register(
        username="sue", email="sue@example.com", password=PASSWORD, role=Role.SUPPORT
    )
    return as_user(user)


@pytest.fixture
def tell() -> Tell:
    """Do what an event of the payment gateway calls for."""

    def told(payment: Payment, what: str, event_id: str = "") -> bool:
        return receive(
            event_id=event_id or str(new_id()),
            kind=f"payment.{what}",
            user_id=payment.user_id,
            payment_id=payment.id,
        )

    return told


@pytest.fixture
def gateway(db: None, monkeypatch: pytest.MonkeyPatch) -> FakeGateway:
    """The payment gateway that the shop asks, in this process."""
    fake = FakeGateway()
    monkeypatch.setattr(gateways, "current", lambda: fake)
    return fake
