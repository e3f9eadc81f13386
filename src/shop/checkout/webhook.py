"""What the payment gateway tells, in any order and any number of times.

Invariant: an event has its effect once. It is recorded on the user's shard in the transaction of
its effect; and what it does, it does by guarded updates behind the order's lock, so that two
events that say the same have one effect as well.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from sharding.django.transactions import atomic
from shop.checkout import settling
from shop.orders.models import Order
from shop.orders.services import lock_order, note
from shop.payments.models import Payment
from shop.payments.selectors import payment_of
from shop.payments.services import record_event


def receive(*, event_id: str, kind: str, user_id: UUID, payment_id: UUID) -> bool:
    """Do what an event of the gateway calls for.

    Args:
        event_id: the gateway's own; an event that is sent again keeps it.
        kind: one of `EFFECTS`.

    Returns:
        Whether the event was new.

    Raises:
        NotFound: the user has no such payment.
    """
    order_id = payment_of(user_id, payment_id).order_id
    with atomic(Order, user_id):
        new = record_event(user_id=user_id, event_id=event_id, kind=kind, payment_id=payment_id)
        if new:
            order = lock_order(user_id, order_id)
            EFFECTS[kind](order, payment_of(user_id, payment_id))  # as it is behind the lock
    return new


def _succeeded(order: Order, payment: Payment) -> None:
    if payment.status == Payment.Status.PENDING:
        payment.become(Payment.Status.SUCCEEDED)
        if order.order_status == Order.Status.PENDING:
            settling.change_status(order, Order.Status.PAID, by="gateway")
        else:
            payment.become(Payment.Status.REFUNDED)
            settling.tell_of_payment(payment, "refund_due")
    # The order was cancelled, or the payment given up, before the money came: it goes back. The
    # payment has ended for us and stays failed; the history keeps it from being sent back twice.
    elif payment.status == Payment.Status.FAILED and note(order, money_back=str(payment.id)):
        settling.tell_of_payment(payment, "refund_due")


def _failed(order: Order, payment: Payment) -> None:
    """End the payment; its order stays pending, for another payment."""
    if payment.status == Payment.Status.PENDING:
        payment.become(Payment.Status.FAILED)
        settling.tell_of_payment(payment, "failed")


def _refunded(order: Order, payment: Payment) -> None:
    """Record that the gateway has sent the money back, on whosever request."""
    if payment.status == Payment.Status.PENDING:  # it overtook the news of its success
        _succeeded(order, payment)
    if payment.status == Payment.Status.SUCCEEDED:
        payment.become(Payment.Status.REFUNDED)
        settling.refund(order, by="gateway")
    elif payment.status == Payment.Status.FAILED:
        note(order, money_back=str(payment.id))  # late money, and already on its way back


EFFECTS: Mapping[str, Callable[[Order, Payment], None]] = {
    "payment.succeeded": _succeeded,
    "payment.failed": _failed,
    "payment.refunded": _refunded,
}
