"""`manage.py reconcile` finds what differs, and nothing else."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from shop.accounts.models import User
from shop.carts.services import add_item
from shop.catalog.models import Product
from shop.checkout import charging, reconciling
from shop.checkout.services import cancel_order, place_order, refund_payment
from shop.inventory.models import Stock
from shop.orders.models import Order
from shop.payments.gateways.base import Standing
from shop.payments.models import Payment
from tests.conftest import MakeProduct
from tests.integration.checkout.gateway import FakeGateway

pytestmark = pytest.mark.django_db

Place = Callable[..., Order]


@pytest.fixture
def place(
    ana: User, make_product: MakeProduct, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """Ana orders, and it is charged."""
    monkeypatch.setattr(reconciling, "SECOND_LOOK_AFTER", 0.0)
    product = make_product(stock=10)

    def order(token: str = "", method: str = "card") -> Order:
        add_item(user_id=ana.id, product_id=product.id, quantity=2)
        with transaction.atomic():
            placed = place_order(user_id=ana.id, payment_method=method, payment_token=token)
        charging.charge_order(user_id=ana.id, order_id=placed.id)
        return placed

    return order


def reconcile(*options: str) -> list[dict[str, str]]:
    """Return what differs; the command ends with 1 if, and only if, something does."""
    out = StringIO()
    try:
        call_command("reconcile", "--format=json", *options, stdout=out)
        ended = 0
    except CommandError as error:
        ended = error.returncode
    findings: list[dict[str, str]] = json.loads(out.getvalue())
    assert ended == (1 if findings else 0)
    return findings


def own(model: Any, order: Order) -> Any:
    key = "id" if model is Order else "order_id"
    return model.objects.for_user(order.user_id).filter(**{key: order.id})


def cancel(order: Order) -> None:
    with transaction.atomic():
        cancel_order(user_id=order.user_id, order_id=order.id, check=lambda _: None)


def test_a_shop_in_order_has_no_findings(place: Place, sam: User) -> None:
    place()
    place(token="tok_declined")
    place(method="bank_transfer")
    cancelled, refunded = place(), place()
    cancel(cancelled)
    payment = own(Payment, refunded).get()
    with transaction.atomic():
        refund_payment(user_id=payment.user_id, payment_id=payment.id, staff_id=sam.id)
    for order in (cancelled, refunded):
        charging.refund(user_id=order.user_id, payment_id=own(Payment, order).get().id)
    assert reconcile("--gateway") == []


def test_a_shelf_that_is_not_the_sum_of_its_movements(place: Place) -> None:
    product = place().items.all()[0].product_id
    Stock.objects.for_product(product).update(available=3)
    [finding] = reconcile()
    assert finding["kind"] == "product"
    assert finding["detail"] == "3 on the shelf, 8 by the ledger"


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Order, {"total_amount": Decimal("1.00")}),
        (Payment, {"amount": Decimal("1.00")}),
        (Order, {"order_status": "pending"}),
        (Order, {"order_status": "cancelled"}),
        (Order, {"order_status": "refunded"}),
        (Payment, {"status": "pending"}),
        (Payment, {"status": "failed"}),
        (Payment, {"status": "refunded"}),
    ],
    ids=str,
)
def test_an_order_that_does_not_agree_with_its_payment(
    place: Place, model: Any, change: dict[str, Any]
) -> None:
    place()
    order = place()
    own(model, order).update(**change)
    [finding] = reconcile()
    assert (finding["kind"], finding["id"]) == ("order", str(order.id))


def test_an_order_without_a_payment(place: Place) -> None:
    order = place()
    own(Payment, order).delete()
    [finding] = reconcile()
    assert finding["id"] == str(order.id)


def test_a_payment_that_the_gateway_never_made(place: Place, gateway: FakeGateway) -> None:
    payment = own(Payment, place()).get()
    gateway.standings[payment.id] = Standing.DECLINED
    [finding] = reconcile("--gateway")
    assert finding == {
        "kind": "payment",
        "id": str(payment.id),
        "detail": "succeeded here, declined there",
    }


def test_a_payment_that_was_charged_twice_or_is_unknown_here(
    place: Place, gateway: FakeGateway
) -> None:
    payment = own(Payment, place()).get()
    stranger = own(Payment, place(token="tok_declined")).get()
    ledger = {
        payment.id: {"charged": 2, "refunded": 0},
        stranger.id: {"charged": 1, "refunded": 0},
    }
    gateway.ledger = lambda: ledger  # type: ignore[attr-defined]
    found = {finding["id"]: finding["detail"] for finding in reconcile("--gateway")}
    assert found == {
        str(payment.id): "succeeded here; charged 2 times and refunded 0 times there",
        str(stranger.id): "failed here; charged 1 times and refunded 0 times there",
    }


def test_what_was_paid_out_past_the_gateway_is_no_finding_and_what_is_on_its_way_is_none(
    place: Place, gateway: FakeGateway, sam: User
) -> None:
    by_hand, on_its_way = place(), place()
    cancel(by_hand)
    cancel(on_its_way)
    own(Payment, by_hand).update(status="refunded", paid_out_at=timezone.now())
    assert reconcile("--gateway") == []
    own(Payment, by_hand).update(paid_out_at=None)
    assert [finding["id"] for finding in reconcile("--gateway")] == [
        str(own(Payment, by_hand).get().id)
    ]


def test_the_table_says_when_all_is_well(place: Place) -> None:
    place()
    out = StringIO()
    call_command("reconcile", stdout=out)
    assert out.getvalue() == "Stock, orders and payments agree.\n"


def test_what_is_not_counted_needs_no_stock_to_agree_and_is_told(
    ana: User, make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "SECOND_LOOK_AFTER", 0.0)
    product = make_product("Wrapping")
    Product.objects.filter(id=product.id).update(track_inventory=False)
    add_item(user_id=ana.id, product_id=product.id, quantity=2)
    with transaction.atomic():
        place_order(user_id=ana.id, payment_method="card")
    out = StringIO()
    call_command("reconcile", stdout=out)
    assert out.getvalue().splitlines() == [
        "Stock, orders and payments agree.",
        "1 products are sold without counting.",
    ]
