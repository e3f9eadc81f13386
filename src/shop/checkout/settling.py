"""What an order's change of status brings with it: stock, money, and the news of it.

Everything here runs inside the caller's transaction, behind the order's lock. The guarded UPDATE
of the order's status comes first and decides whether the rest happens at all.
"""

from shop.core import outbox
from shop.inventory import services as inventory
from shop.orders.models import Order
from shop.orders.services import note
from shop.payments.models import Payment
from shop.payments.selectors import payments_of_order


def cancel(order: Order, **details: str) -> None:
    """Cancel an order: what it took goes back on the shelf, its money back to the customer.

    Raises:
        InvalidTransition: it is on its way already, or cancelled; nothing may be kept.
    """
    change_status(order, Order.Status.CANCELLED, **details)
    units = {item.product_id: item.quantity for item in order.items.all() if item.from_stock}
    if units:
        inventory.give_back(units, order_id=order.id)
    _close_payments(order)


def refund(order: Order, **details: str) -> None:
    """Refund an order. Its units do not return to the shelf: staff see to what comes back.

    Raises:
        InvalidTransition: it was never paid, or is ended already; nothing may be kept.
    """
    change_status(order, Order.Status.REFUNDED, **details)
    _close_payments(order)


def change_status(order: Order, status: str, **details: str) -> None:
    """Change an order's status, and tell of it, e.g. as ``order.shipped``.

    Raises:
        InvalidTransition: from the order's status, this one cannot be reached.
    """
    order.become(status, **details)
    payload = {"order_id": str(order.id)}
    if number := details.get("tracking_number"):
        payload["tracking_number"] = number
    outbox.publish(user_id=order.user_id, topic=f"order.{status}", payload=payload)


def money_came(order: Order, payment: Payment, **details: str) -> None:
    """Take the money of a payment that is pending or failed.

    The order is paid; or it was cancelled, or the payment given up, before the money came: then it
    goes back.

    Args:
        details: what the history is to remember, e.g. ``by="gateway"``.
    """
    late = payment.status == Payment.Status.FAILED or order.order_status != Order.Status.PENDING
    if payment.status == Payment.Status.PENDING:
        payment.become(Payment.Status.SUCCEEDED)
    if late:
        note(order, money_back=str(payment.id), **details)
        _send_back(payment)
    else:
        change_status(order, Order.Status.PAID, **details)


def tell_of_payment(payment: Payment, what: str) -> None:
    """Tell of a payment, e.g. as ``payment.refund_due``: the gateway has to send money back."""
    outbox.publish(
        user_id=payment.user_id,
        topic=f"payment.{what}",
        payload={
            "payment_id": str(payment.id),
            "order_id": str(payment.order_id),
            "amount": str(payment.amount),
        },
    )


def _close_payments(order: Order) -> None:
    """End what is in force for an order: give up a payment that is pending, send back what came."""
    payments = payments_of_order(order.user_id, order.id)
    for payment in payments.filter(status__in=Payment.IN_FORCE):
        if payment.status == Payment.Status.PENDING:
            _give_up(payment)
        elif payment.amount:
            _send_back(payment)
        else:
            payment.become(Payment.Status.REFUNDED)  # nothing came, nothing goes back


def _give_up(payment: Payment) -> None:
    payment.become(Payment.Status.FAILED)
    if payment.asked_at:  # its money may still come: somebody has to ask until that is known
        tell_of_payment(payment, "given_up")


def _send_back(payment: Payment) -> None:
    payment.become(Payment.Status.REFUND_DUE)
    tell_of_payment(payment, "refund_due")
