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
from shop.orders.services import lock_order
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
    if payment.status in (Payment.Status.PENDING, Payment.Status.FAILED):
        settling.money_came(order, payment, by="gateway")


def _failed(order: Order, payment: Payment) -> None:
    """End the payment; its order stays pending, for another payment."""
    if payment.status == Payment.Status.PENDING:
        payment.become(Payment.Status.FAILED)
        settling.tell_of_payment(payment, "failed")


def _refunded(order: Order, payment: Payment) -> None:
    """Record that the gateway has sent the money back, on whosever request."""
    if payment.status == Payment.Status.PENDING:  # it overtook the news of its success
        _succeeded(order, payment)
    ends_order = payment.status == Payment.Status.SUCCEEDED  # nobody of ours had asked for it
    if payment.status != Payment.Status.REFUNDED:
        payment.become(Payment.Status.REFUNDED)
    if ends_order:
        settling.refund(order, by="gateway")


EFFECTS: Mapping[str, Callable[[Order, Payment], None]] = {
    "payment.succeeded": _succeeded,
    "payment.failed": _failed,
    "payment.refunded": _refunded,
}
