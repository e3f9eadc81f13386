"""Orders placed, paid, cancelled and refunded: every guard is a lock or a constraint.

But for `set_order_status`, each of these belongs into the caller's transaction, that of the
Idempotency-Key.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from django.conf import settings

from sharding.django.transactions import atomic
from sharding.ids import new_id_of
from shop.carts.models import CartItem
from shop.carts.selectors import items_of
from shop.carts.services import empty
from shop.checkout import settling
from shop.checkout.errors import (
    CartEmpty,
    PartialRefund,
    PaymentNotDue,
    PriceChanged,
    ProductUnavailable,
    TooManyUnpaidOrders,
)
from shop.checkout.selectors import lock_cart_and_count_unpaid
from shop.core import outbox
from shop.core.conditional import Check as CartCheck
from shop.core.conditional import unconditional
from shop.core.errors import TooManyLines
from shop.inventory import services as inventory
from shop.orders.models import Order
from shop.orders.services import Line, create_order, lock_order, total_of
from shop.payments.models import Payment
from shop.payments.selectors import payment_of, payments_of_order
from shop.payments.services import create_payment

# Looks at the locked order, and raises if the client wants to change another version of it.
Check: TypeAlias = Callable[[Order], None]


def unchecked(order: Order) -> None:
    """Take any version of it."""


def place_order(
    *,
    user_id: UUID,
    payment_method: str,
    payment_token: str = "",
    expected_total: Decimal | None = None,
    check: CartCheck = unconditional,
) -> Order:
    """Turn the user's cart into an order; call it inside a transaction.

    The cart's lock keeps other requests of this user out. Prices are read from the node's own copy
    of the catalog. The stock is taken by guarded updates. What follows later, payment and mail,
    starts from the outbox event, which exists if and only if the order does. An order that costs
    nothing is paid at once.

    Args:
        expected_total: what the customer agreed to pay; unsaid, it is whatever the cart costs now.

    Raises:
        AmountNotPayable: the gateway would not take it; a bank takes anything.
        CartEmpty: there is nothing in the cart.
        TooManyLines: there is too much in it, as in one from before there was a limit.
        TooManyUnpaidOrders: the user's other orders hold too much stock.
        PriceChanged: it costs something else than expected.
        ProductUnavailable: names the lines that are not for sale any more.
        InsufficientStock: names the lines that fall short; nothing may be kept.
    """
    cart = lock_cart_and_count_unpaid(user_id)
    check()
    items = list(items_of(user_id)[: settings.MAX_LINES + 1]) if cart else []
    if cart is None or not items:
        raise CartEmpty("Your cart is empty.")
    if len(items) > settings.MAX_LINES:
        raise TooManyLines("An order")
    if cart.unpaid >= settings.MAX_UNPAID_ORDERS:
        raise TooManyUnpaidOrders(f"{cart.unpaid} of your orders are unpaid: pay or cancel some.")
    _require_for_sale(items)
    lines = [_line(item) for item in items]
    _require_total(total_of(lines), expected_total)
    order_id = new_id_of(user_id)
    if counted := {line.product_id: line.quantity for line in lines if line.from_stock}:
        inventory.take(counted, order_id=order_id)
    order = create_order(user_id=user_id, order_id=order_id, cart_id=cart.id, lines=lines)
    payment = create_payment(
        user_id=user_id,
        order_id=order.id,
        amount=order.total_amount,
        payment_method=payment_method,
        token=payment_token,
    )
    outbox.publish(user_id=user_id, topic="order.placed", payload={"order_id": str(order.id)})
    order._prefetched_objects_cache["payments"] = [payment]  # type: ignore[attr-defined]
    if not payment.amount:
        settling.money_came(order, payment, by="nothing due")
    empty(user_id)
    return order


def _require_for_sale(items: Iterable[CartItem]) -> None:
    gone = [item.product_id for item in items if not item.product.is_for_sale]
    if gone:
        raise ProductUnavailable(
            "Not all of your cart is for sale any more.",
            lines=[{"product_id": product_id} for product_id in gone],
        )


def _line(item: CartItem) -> Line:
    product = item.product
    return Line(
        product_id=product.id,
        product_name=product.name,
        quantity=item.quantity,
        price=product.price,
        from_stock=product.track_inventory,
    )


def _require_total(total: Decimal, expected: Decimal | None) -> None:
    if expected is not None and total != expected:
        raise PriceChanged(
            f"The cart costs {total}, not {expected}. Look at it again.", total_amount=str(total)
        )


def cancel_order(*, user_id: UUID, order_id: UUID, check: Check) -> Order:
    """Cancel an order for its customer.

    Raises:
        NotFound: the user has no such order.
        InvalidTransition: it is on its way already, or cancelled.
    """
    order = lock_order(user_id, order_id)
    check(order)
    settling.cancel(order, by="customer")
    return order


def pay_order(
    *, user_id: UUID, order_id: UUID, payment_method: str, payment_token: str = ""
) -> Payment:
    """Begin another payment of an order, as after one that failed.

    Raises:
        NotFound: the user has no such order.
        PaymentNotDue: the order is not pending, or a payment of it is pending or made.
        AmountNotPayable: not by this method.
    """
    order = lock_order(user_id, order_id)
    in_force = payments_of_order(user_id, order_id).filter(status__in=Payment.IN_FORCE)
    if order.order_status != Order.Status.PENDING or in_force.exists():
        raise PaymentNotDue("This order is not waiting for another payment.")
    payment = create_payment(
        user_id=user_id,
        order_id=order.id,
        amount=order.total_amount,
        payment_method=payment_method,
        token=payment_token,
    )
    settling.tell_of_payment(payment, "due")
    return payment


def refund_payment(
    *, user_id: UUID, payment_id: UUID, staff_id: UUID, amount: Decimal | None = None
) -> Payment:
    """Refund a payment in full, and with it its order. The stock does not return.

    The money is due from now on; `refunded` follows when it has moved.

    Args:
        amount: what is to go back; anything but the whole is refused.

    Raises:
        NotFound: the user has no such payment.
        PartialRefund: the amount is not the payment's.
        InvalidTransition: the payment or its order cannot be refunded.
    """
    order = lock_order(user_id, payment_of(user_id, payment_id).order_id)
    payment = payment_of(user_id, payment_id)  # as it is behind the lock
    if amount is not None and amount != payment.amount:
        raise PartialRefund(f"Only the whole amount can be refunded: {payment.amount}.")
    payment.refuse_unless(Payment.Status.SUCCEEDED, to=Payment.Status.REFUND_DUE)
    settling.refund(order, by="staff", staff_id=str(staff_id))
    return payment_of(user_id, payment_id)


def set_order_status(
    *,
    user_id: UUID,
    order_id: UUID,
    status: str,
    staff_id: UUID,
    check: Check = unchecked,
    tracking_number: str = "",
) -> None:
    """Change an order's status for a member of staff, with all that it brings.

    Args:
        status: ``shipped``, ``delivered``, ``cancelled`` or ``refunded``.
        tracking_number: what the customer can follow the parcel by, when it is shipped.

    Raises:
        NotFound: the user has no such order.
        InvalidTransition: from the order's status, this one cannot be reached.
    """
    changes = {Order.Status.CANCELLED: settling.cancel, Order.Status.REFUNDED: settling.refund}
    who = {"by": "staff", "staff_id": str(staff_id)}
    if tracking_number:
        who["tracking_number"] = tracking_number
    with atomic(Order, user_id):
        order = lock_order(user_id, order_id)
        check(order)
        if change := changes.get(Order.Status(status)):
            change(order, **who)
        else:
            settling.change_status(order, status, **who)
