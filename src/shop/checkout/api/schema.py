"""What changes orders and payments, as API clients read it."""

from dataclasses import replace
from typing import Any

from rest_framework import serializers

from shop.checkout.api.serializers import (
    ByHandSerializer,
    EventSerializer,
    OrderStatusSerializer,
    PayingSerializer,
    PlaceOrderSerializer,
    RefundSerializer,
    StaffOrderSerializer,
)
from shop.checkout.errors import (
    CartEmpty,
    NotATransfer,
    PartialRefund,
    PaymentNotDue,
    PriceChanged,
    ProductUnavailable,
    RefundUnderWay,
    TooManyUnpaidOrders,
)
from shop.core.errors import NotFound, TooManyLines
from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation
from shop.core.states import InvalidTransition
from shop.inventory.errors import InsufficientStock
from shop.orders.api.schema import ORDER, ORDERS, STAFF
from shop.orders.api.serializers import OrderSerializer
from shop.payments.api.schema import DUE, PAYMENT, PAYMENTS
from shop.payments.api.serializers import PaymentSerializer, StaffPaymentSerializer
from shop.payments.errors import AmountNotPayable, InvalidSignature, SignatureExpired

PROBLEM_MEMBERS = {
    "amount_not_payable": {"minimum": "0.50", "step": "0.01", "currency": "EUR"},
    "invalid_transition": {"from": "shipped", "to": "cancelled"},
    "price_changed": {"total_amount": "41.80"},
    "product_unavailable": {"lines": [{"product_id": 17}]},
}

HOW_TO_PAY = {"payment_method": "card", "payment_token": "tok_success"}
BY_HAND = {"reference": "SEPA 4711"}
TRANSFER = {**DUE, "payment_method": "bank_transfer", "provider_ref": ""}
PLACED = {"id": UUID_EXAMPLE, "status": "pending", "details": {}, "created_at": TIME_EXAMPLE}
STAFF_ORDER = {"user_id": UUID_EXAMPLE, **ORDER, "payments": [PAYMENT], "events": [PLACED]}


class EventReceiptSerializer(serializers.Serializer[Any]):
    """That an event arrived, and whether it is the first time."""

    id = serializers.CharField(read_only=True)
    new = serializers.BooleanField(read_only=True)


STAFF_READS = Operation(
    id="staff_orders_read",
    tag=STAFF,
    summary="Read anybody's order with its payments and its history",
    returns=StaffOrderSerializer,
    example=STAFF_ORDER,
)
STAFF_CHANGES = Operation(
    id="staff_orders_update",
    tag=STAFF,
    summary="Ship, deliver, cancel or refund an order",
    body=OrderStatusSerializer,
    sends={"order_status": "shipped"},
    returns=StaffOrderSerializer,
    example={**STAFF_ORDER, "order_status": "shipped"},
    errors=(InvalidTransition,),
)
AS_IT_WAS: Any = {"deprecated": True, "says": ("Deprecation", "Sunset")}

OPERATIONS = {
    "OrdersView.post": Operation(
        id="orders_place",
        tag=ORDERS,
        summary="Turn the cart into an order",
        description="All of the cart or nothing: when a line falls short, nothing changes, and "
        "`lines` of the 409 names every product that does. `expected_total` is what the customer "
        "agrees to pay: if a price has changed since, nothing is ordered. `If-Match` takes the "
        "ETag of the cart, and lets only that very cart be ordered.",
        body=PlaceOrderSerializer,
        sends=HOW_TO_PAY | {"expected_total": "39.80"},
        returns=OrderSerializer,
        example=ORDER,
        status=201,
        errors=(
            AmountNotPayable,
            CartEmpty,
            InsufficientStock,
            PriceChanged,
            ProductUnavailable,
            TooManyLines,
            TooManyUnpaidOrders,
        ),
        idempotent="required",
        located=True,
        versioned=False,
    ),
    "CancelOrderView.post": Operation(
        id="orders_cancel",
        tag=ORDERS,
        summary="Cancel an order",
        description="While it is pending or paid. Its units go back to the shelf. The payment of a "
        "paid one is `refund_due` until its money has moved.",
        returns=OrderSerializer,
        example={**ORDER, "order_status": "cancelled", "payment_status": "refund_due"},
        errors=(InvalidTransition,),
        idempotent="required",
    ),
    "OrderPaymentsView.get": Operation(
        id="orders_payments_list",
        tag=PAYMENTS,
        summary="List the payments of an order",
        description="The oldest first, without pages. One at most is pending or succeeded.",
        returns=PaymentSerializer(many=True),
        example=[PAYMENT],
    ),
    "OrderPaymentsView.post": Operation(
        id="orders_payments_add",
        tag=PAYMENTS,
        summary="Pay an order once more",
        description="When the payment before has failed, and while the order is pending.",
        body=PayingSerializer,
        sends=HOW_TO_PAY,
        returns=PaymentSerializer,
        example={**PAYMENT, "status": "pending"},
        status=201,
        errors=(AmountNotPayable, PaymentNotDue),
        idempotent="required",
        located=True,
    ),
    "RefundView.post": Operation(
        id="payments_refund",
        tag=PAYMENTS,
        summary="Refund a payment",
        description="In full; an `amount` that is another one is refused. The order is ended at "
        "once; the payment is `refund_due` until its money has moved, then `refunded`.",
        body=RefundSerializer,
        sends={"amount": "39.80"},
        returns=PaymentSerializer,
        example={**PAYMENT, "status": "refund_due"},
        errors=(InvalidTransition, PartialRefund),
        idempotent="required",
    ),
    "ReceivedView.post": Operation(
        id="payments_received",
        tag=PAYMENTS,
        summary="Say that a bank transfer has come",
        description="`reference` is what finds the booking again. Its "
        "order is paid; if it was cancelled meanwhile, the payment is `refund_due`.",
        body=ByHandSerializer,
        sends=BY_HAND,
        returns=StaffPaymentSerializer,
        example={**TRANSFER, "status": "succeeded"},
        errors=(InvalidTransition, NotATransfer),
        idempotent="required",
    ),
    "PaidOutView.post": Operation(
        id="payments_paid_out",
        tag=PAYMENTS,
        summary="Say that the money of a payment was sent back by hand",
        description="`reference` is what finds the booking again. A "
        "payment that is `refund_due` becomes `refunded`: a bank transfer, or what the gateway "
        "has given up.",
        body=ByHandSerializer,
        sends=BY_HAND,
        returns=StaffPaymentSerializer,
        example={**TRANSFER, "status": "refunded", "paid_out_at": TIME_EXAMPLE},
        errors=(InvalidTransition, RefundUnderWay),
        idempotent="required",
    ),
    "WebhookView.post": Operation(
        id="payments_webhook",
        tag=PAYMENTS,
        summary="Tell what became of a payment",
        description="For the payment gateway. An event that is told again changes nothing.",
        body=EventSerializer,
        sends={
            "id": "evt_1",
            "type": "payment.succeeded",
            "data": {"user_id": UUID_EXAMPLE, "payment_id": UUID_EXAMPLE},
        },
        returns=EventReceiptSerializer,
        example={"id": "evt_1", "new": True},
        errors=(InvalidSignature, SignatureExpired, NotFound),
        security="webhook",
    ),
    "StaffOrderView.get": STAFF_READS,
    "StaffOrderView.patch": STAFF_CHANGES,
    "StaffOrderOfUserView.get": replace(STAFF_READS, id="staff_orders_read_of_user", **AS_IT_WAS),
    "StaffOrderOfUserView.patch": replace(
        STAFF_CHANGES, id="staff_orders_update_of_user", **AS_IT_WAS
    ),
}
