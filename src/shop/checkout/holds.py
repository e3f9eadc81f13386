"""Unpaid orders are charged once more, or give their stock back.

Invariant: an order is cancelled only if the gateway has said that its payment did not succeed, or
has been away for settings.UNPAID_ORDER_LONGEST since it was placed. Money that arrives after all is
sent back (`checkout.webhook`).

A turn may be ended at any order. The next one begins behind it, so that a few orders that take
long keep no others waiting; a turn that comes to its end is followed by one from the oldest.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from sharding.django.transactions import atomic
from shop.checkout import settling
from shop.checkout.charging import charge
from shop.checkout.selectors import unpaid_orders
from shop.core import turns
from shop.core.db import retrying
from shop.orders.models import Order
from shop.orders.services import lock_order
from shop.payments.gateways.base import GatewayRefused, GatewayUnavailable
from shop.payments.models import Payment
from shop.payments.selectors import payments_of_order

BATCH = 100
SILENCES = 3  # in a row: the gateway is away, and not one payment undecided
NAME = "checkout.cancel_unpaid"

logger = logging.getLogger(__name__)


class Asking:
    """How the gateway answers during one turn; when it is away, it is asked no more."""

    def __init__(self) -> None:
        self._silences = 0

    @property
    def is_over(self) -> bool:
        """Tell whether the gateway is left alone from now on."""
        return self._silences >= SILENCES

    def charge(self, payment: Payment) -> bool:
        """Charge a payment once more; tell whether it is known now what became of it."""
        if self.is_over:
            return False
        try:
            charge(user_id=payment.user_id, payment_id=payment.id)
        except GatewayUnavailable:
            self._silences += 1
            return False
        except GatewayRefused as refusal:
            logger.warning("an unpaid order cannot be charged", exc_info=refusal)
            self._silences = 0
            return False
        self._silences = 0
        return True


def cancel_unpaid(*, now: datetime) -> Counter[str]:
    """Charge or cancel the orders that nobody has paid in time, each in transactions of its own.

    Returns:
        How many were `cancelled`, turned out to be `paid`, or were `left` for the next time.

    Raises:
        SoftTimeLimitExceeded: the turn has lasted too long; the next one goes on from here.
    """
    outcomes: Counter[str] = Counter()
    asking = Asking()
    for user_id, order_id in _overdue(now):
        if not asking.is_over:
            turns.note_place(NAME, str(order_id))
        try:
            outcomes[_release(user_id, order_id, asking, now)] += 1
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # one order must not keep the stock of all others
            logger.exception("an unpaid order cannot be cancelled", extra={"order": str(order_id)})
            outcomes["left"] += 1
    if not asking.is_over:
        turns.note_end(NAME)
    return outcomes


def _overdue(now: datetime) -> Iterator[tuple[UUID, UUID]]:
    place = turns.place(NAME)
    after = UUID(place) if place else None
    while batch := unpaid_orders(
        placed_before=now - settings.UNPAID_ORDER_LIFETIME,
        by_transfer_before=now - settings.UNPAID_TRANSFER_LIFETIME,
        after=after,
        limit=BATCH,
    ):
        yield from batch
        _, after = batch[-1]


def _release(user_id: UUID, order_id: UUID, asking: Asking, now: datetime) -> str:
    pending = list(payments_of_order(user_id, order_id).filter(status=Payment.Status.PENDING))
    known = all(asking.charge(payment) for payment in pending)
    placed_before = now if known else now - settings.UNPAID_ORDER_LONGEST
    seen = {payment.id for payment in pending}
    return retrying(lambda: _cancel(user_id, order_id, seen, placed_before))


def _cancel(user_id: UUID, order_id: UUID, seen: set[UUID], placed_before: datetime) -> str:
    with atomic(Order, user_id):
        order = lock_order(user_id, order_id)
        if order.order_status == Order.Status.PAID:
            return "paid"
        pending = payments_of_order(user_id, order_id).filter(status=Payment.Status.PENDING)
        begun = {payment.id for payment in pending} - seen
        if order.order_status != Order.Status.PENDING or begun:
            return "left"  # somebody was quicker
        if order.created_at >= placed_before:
            return "left"  # its money may still come
        settling.cancel(order, by="unpaid")
    return "cancelled"
