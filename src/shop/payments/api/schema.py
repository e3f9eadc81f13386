"""The payment endpoints as API clients read them. Paying and refunding are in checkout."""

from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.payments.api.serializers import (
    PaymentSerializer,
    RefundFilterSerializer,
    StaffPaymentSerializer,
)

PAYMENTS = "Payments"
TAGS = {
    PAYMENTS: """\
What was paid for orders. The states of a payment:

pending → succeeded or failed; succeeded → refund_due → refunded. Anything else is refused (409).

Money that has to go back is `refund_due`, and `refunded` when it has moved: the gateway says so of
cards, staff of bank transfers. Money that comes late, of a payment that had failed or for an order
that was cancelled, is `refund_due` as well.

The sandbox's gateway knows the tokens `tok_success`, `tok_declined` and `tok_timeout`."""
}
PAYMENT = {
    "id": UUID_EXAMPLE,
    "order_id": UUID_EXAMPLE,
    "payment_method": "card",
    "amount": "39.80",
    "currency": "EUR",
    "status": "succeeded",
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
DUE = {
    "user_id": UUID_EXAMPLE,
    **PAYMENT,
    "status": "refund_due",
    "provider_ref": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "paid_out_at": None,
}

OPERATIONS = {
    "PaymentListView.get": Operation(
        id="payments_list",
        tag=PAYMENTS,
        summary="List the caller's payments, the newest first",
        description="Of all orders, whatever became of them.",
        returns=PaymentSerializer,
        example=page_of(PAYMENT, "/api/payments/"),
        paged=True,
    ),
    "PaymentView.get": Operation(
        id="payments_read",
        tag=PAYMENTS,
        summary="Read a payment",
        description="A pending one is decided within seconds, a bank transfer within days.",
        returns=PaymentSerializer,
        example=PAYMENT,
    ),
    "StaffRefundListView.get": Operation(
        id="staff_refunds_list",
        tag=PAYMENTS,
        summary="Find refunds of all users that are due, the oldest first",
        description="Money that has to go back and has not yet. Cards wait for the gateway, bank "
        "transfers for somebody who pays them out. With `user_id` one shard is asked, without it "
        "all; X-Shards-Asked says.",
        query=RefundFilterSerializer,
        returns=StaffPaymentSerializer,
        example=page_of(DUE, "/api/staff/refunds/"),
        paged=True,
        says=("X-Shards-Asked",),
    ),
}
