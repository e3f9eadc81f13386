"""Unpaid orders give their stock back.

Invariant: an order is cancelled only if the gateway has said that its payment did not succeed, or
was never asked for it. If it cannot be asked, the stock stays held. Money that arrives after all
is sent back (`checkout.webhook`).
"""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings

from sharding.django.transactions import atomic
from shop.checkout import settling
from shop.checkout.charging import settle, standing_of
from shop.checkout.selectors import unpaid_orders
from shop.core.db import retrying
from shop.orders.models import Order
from shop.orders.services import lock_order
from shop.payments.gateways.base import GatewayError, Report, Standing
from shop.payments.models import Payment
from shop.payments.selectors import payments_of_order

BATCH = 100

logger = logging.getLogger(__name__)


def cancel_unpaid(*, now: datetime) -> Counter[str]:
    """Cancel the orders that nobody has paid in time, each in a transaction of its own.

    Returns:
        How many were `cancelled`, turned out to be `paid`, or were `left` for the next time.
    """
    outcomes: Counter[str] = Counter()
    for user_id, order_id in _overdue(now):
        try:
            outcomes[_release(user_id, order_id, now)] += 1
        except Exception:  # one order must not keep the stock of all others
            logger.exception("an unpaid order cannot be cancelled", extra={"order": str(order_id)})
            outcomes["left"] += 1
    return outcomes


def _overdue(now: datetime) -> Iterator[tuple[UUID, UUID]]:
    after = None
    while batch := unpaid_orders(
        placed_before=now - settings.UNPAID_ORDER_LIFETIME,
        by_transfer_before=now - settings.UNPAID_TRANSFER_LIFETIME,
        after=after,
        limit=BATCH,
    ):
        yield from batch
        _, after = batch[-1]


def _release(user_id: UUID, order_id: UUID, now: datetime) -> str:
    pending = list(payments_of_order(user_id, order_id).filter(status=Payment.Status.PENDING))
    for payment in pending:
        if payment.asked_at and (answer := _asked(payment, now)):
            return answer
    seen = {payment.id for payment in pending}
    return retrying(lambda: _cancel(user_id, order_id, seen))


def _asked(payment: Payment, now: datetime) -> str | None:
    """Ask the gateway; return what that makes of the order, None if it may be cancelled."""
    try:
        report = standing_of(payment, now=now)
    except GatewayError:
        report = Report(Standing.UNKNOWN)
    if report.standing in (Standing.SUCCEEDED, Standing.REFUNDED):
        settle(payment, report)
        return "paid"
    return "left" if report.standing == Standing.UNKNOWN else None


def _cancel(user_id: UUID, order_id: UUID, seen: set[UUID]) -> str:
    with atomic(Order, user_id):
        order = lock_order(user_id, order_id)
        pending = payments_of_order(user_id, order_id).filter(status=Payment.Status.PENDING)
        begun = {payment.id for payment in pending} - seen
        if order.order_status != Order.Status.PENDING or begun:
            return "left"  # somebody was quicker
        settling.cancel(order, by="unpaid")
    return "cancelled"
