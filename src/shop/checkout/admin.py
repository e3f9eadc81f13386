"""The staff pages of orders and payments: found, shipped, cancelled, paid, refunded."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from sharding.django.transactions import atomic
from shop.accounts.selectors import owners_of
from shop.catalog import selectors as catalog
from shop.checkout import by_hand, services
from shop.checkout.selectors import order_for_staff, owner_of_order, owner_of_payment
from shop.core.admin.desk import Acting, Action, Column, Desk, Rows, register
from shop.core.errors import NotFound
from shop.core.fields import BIGINT_MAX
from shop.orders.models import Order, OrderItem
from shop.payments.models import Payment
from shop.payments.selectors import payment_of, payments_of, payments_of_order

FEW = 20  # products that a search for orders follows
ORDERS = 50  # of them, the newest

Status, Paid = Order.Status, Payment.Status


class Shipping(forms.Form):
    """What the customer can follow the parcel by."""

    tracking_number = forms.CharField(max_length=100, required=False, strip=True)


class Booking(forms.Form):
    """What finds the booking at the bank."""

    reference = forms.CharField(max_length=100, required=False, strip=True)


def _become(status: str, says: str) -> Callable[[Order, Acting], str]:
    def run(order: Order, acting: Acting) -> str:
        services.set_order_status(
            user_id=order.user_id,
            order_id=order.id,
            status=status,
            staff_id=acting.staff_id,
            **{name: value for name, value in acting.data.items() if value},
        )
        return says.format(was=order.get_order_status_display(), **acting.data)

    return run


def _shipped(order: Order, acting: Acting) -> str:
    number = acting.data["tracking_number"]
    says = "Shipped, with tracking number {tracking_number}." if number else "Shipped."
    return _become(Status.SHIPPED, says)(order, acting)


def _is(*statuses: str) -> Callable[[Any], bool]:
    return lambda row: (
        getattr(row, "order_status", None) in statuses or (getattr(row, "status", None) in statuses)
    )


class OrderDesk(Desk):
    """Orders of all users."""

    model = Order
    plural = "Orders"
    search_help = (
        "An order's number, a customer's whole e-mail address or username, or a product: its id, "
        "its slug or words of its name. Products are looked up on every shard."
    )
    choices = (("all", "All"), *Status.choices)
    columns = (
        Column("Order", lambda order: order.id),
        Column("Placed", lambda order: order.created_at),
        Column("Status", lambda order: order.get_order_status_display()),
        Column("Total", lambda order: order.total_amount),
        Column("Customer", lambda order: order.user_id),
    )
    actions = (
        Action(
            "ship",
            "Ship",
            _shipped,
            _is(Status.PAID),
            Shipping,
            "The customer gets a mail, with the tracking number if there is one.",
        ),
        Action(
            "deliver",
            "Mark as delivered",
            _become(Status.DELIVERED, "Marked as delivered; it was {was}."),
            _is(Status.SHIPPED),
        ),
        Action(
            "cancel",
            "Cancel the order",
            _become(Status.CANCELLED, "Cancelled; it was {was}."),
            _is(Status.PENDING, Status.PAID),
            says="What it took goes back on the shelf, and what was paid back to the customer.",
        ),
        Action(
            "refund",
            "Refund the order",
            _become(Status.REFUNDED, "Refunded; it was {was}."),
            _is(Status.PAID, Status.SHIPPED, Status.DELIVERED),
            says="The whole amount goes back. Units do not return to the shelf by themselves.",
        ),
    )
    template = "admin/orders/order.html"

    def find(self, term: str) -> Rows:
        """Return the orders of a number, a customer or a product."""
        if (number := _uuid(term)) is not None:
            return _owned(owner_of_order, number, Order)
        owners = owners_of(username=term, email=term)
        if owners:
            found: QuerySet[Order] = _orders().filter(user_id__in=owners)
            return Order.objects.for_user(owners.pop()) if len(owners) == 1 else found
        return _orders_with(_products(term))

    def chosen(self, choice: str) -> Rows:
        return _orders() if choice == "all" else _orders().filter(order_status=choice)

    def keys(self, row: Order) -> tuple[UUID, UUID]:
        return row.user_id, row.id

    def row(self, shard_key: str, row_id: UUID) -> Order:
        return order_for_staff(UUID(shard_key), row_id)

    def context(self, row: Order) -> dict[str, Any]:
        payments = list(payments_of_order(row.user_id, row.id))
        return {"payments": [(PAYMENTS.url(payment), payment) for payment in payments]}


class PaymentDesk(Desk):
    """Payments of all users: what has to be sent back, and what a bank has to bring."""

    model = Payment
    plural = "Payments"
    search_help = "A payment's number, or a customer's whole e-mail address or username."
    choices = (
        ("due", "Refunds due"),
        ("transfers", "Bank transfers awaited"),
        *((status, label) for status, label in Paid.choices if status != Paid.REFUND_DUE),
    )
    columns = (
        Column("Payment", lambda payment: payment.id),
        Column("Begun", lambda payment: payment.created_at),
        Column("Method", lambda payment: payment.get_payment_method_display()),
        Column("Status", lambda payment: payment.get_status_display()),
        Column("Amount", lambda payment: payment.amount),
        Column("Order", lambda payment: payment.order_id),
    )
    template = "admin/payments/payment.html"

    def find(self, term: str) -> Rows:
        if (number := _uuid(term)) is not None:
            return _owned(owner_of_payment, number, Payment)
        owners = owners_of(username=term, email=term)
        if len(owners) == 1:
            return payments_of(owners.pop())
        return _payments().filter(user_id__in=owners) if owners else []

    def chosen(self, choice: str) -> Rows:
        transfers = {"payment_method": Payment.Method.BANK_TRANSFER, "status": Paid.PENDING}
        known: dict[str, dict[str, Any]] = {
            "due": {"status": Paid.REFUND_DUE},
            "transfers": transfers,
        }
        return _payments().filter(**known.get(choice, {"status": choice}))

    def keys(self, row: Payment) -> tuple[UUID, UUID]:
        return row.user_id, row.id

    def row(self, shard_key: str, row_id: UUID) -> Payment:
        return payment_of(UUID(shard_key), row_id)

    def context(self, row: Payment) -> dict[str, Any]:
        return {"order_url": ORDER_DESK.url(Order(user_id=row.user_id, id=row.order_id))}


def _received(payment: Payment, acting: Acting) -> str:
    with atomic(Payment, payment.user_id):
        by_hand.receive_transfer(
            user_id=payment.user_id,
            payment_id=payment.id,
            staff_id=acting.staff_id,
            **acting.data,
        )
    return f"Received {payment.amount} by bank transfer{_reference(acting)}."


def _paid_out(payment: Payment, acting: Acting) -> str:
    with atomic(Payment, payment.user_id):
        by_hand.mark_paid_out(
            user_id=payment.user_id,
            payment_id=payment.id,
            staff_id=acting.staff_id,
            **acting.data,
        )
    return f"Paid {payment.amount} out{_reference(acting)}."


def _refunded(payment: Payment, acting: Acting) -> str:
    with atomic(Payment, payment.user_id):
        services.refund_payment(
            user_id=payment.user_id, payment_id=payment.id, staff_id=acting.staff_id
        )
    return f"{payment.amount} goes back to the customer."


def _reference(acting: Acting) -> str:
    reference = acting.data["reference"]
    return f", reference {reference}" if reference else ""


def _is_awaited_transfer(payment: Payment) -> bool:
    by_bank = payment.payment_method == Payment.Method.BANK_TRANSFER
    return by_bank and payment.status in {Paid.PENDING, Paid.FAILED}


PaymentDesk.actions = (
    Action(
        "receive",
        "Mark as received",
        _received,
        _is_awaited_transfer,
        Booking,
        "The order is paid. If it was cancelled meanwhile, the money has to go back.",
    ),
    Action(
        "refund",
        "Refund",
        _refunded,
        _is(Paid.SUCCEEDED),
        says="The whole amount goes back, and the order is refunded.",
    ),
    Action(
        "pay-out",
        "Mark as paid out",
        _paid_out,
        _is(Paid.REFUND_DUE),
        Booking,
        "Say so when you have sent the money back yourself: the payment is then refunded.",
    ),
)


def _orders() -> QuerySet[Order]:
    orders: QuerySet[Order] = Order.objects.cross_shard()
    return orders


def _payments() -> QuerySet[Payment]:
    payments: QuerySet[Payment] = Payment.objects.cross_shard()
    return payments


def _owned(owner: Callable[[UUID], UUID], number: UUID, model: type[Order | Payment]) -> Rows:
    """Return the order or payment of a number, from its user's shard."""
    try:
        found: QuerySet[Any] = model.objects.for_user(owner(number)).filter(id=number)
    except NotFound:
        return []
    return found


def _products(term: str) -> list[int]:
    """Return the ids of the products that somebody means."""
    products = catalog.with_category().order_by()
    if term.isascii() and term.isdecimal() and int(term) <= BIGINT_MAX:
        return [int(term)]
    exact = list(products.filter(slug=term).values_list("id", flat=True))
    found = catalog.products({"search": term}, among=products)
    return exact or list(found.values_list("id", flat=True)[:FEW])


def _orders_with(product_ids: list[int]) -> list[Order]:
    lines = OrderItem.objects.cross_shard().filter(product_id__in=product_ids).order_by("-id")
    numbers = set(lines.values_list("order_id", flat=True)[:ORDERS]) if product_ids else set()
    return list(_orders().filter(id__in=numbers).order_by("-id")) if numbers else []


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


ORDER_DESK, PAYMENTS = OrderDesk(), PaymentDesk()
register(ORDER_DESK)
register(PAYMENTS)
