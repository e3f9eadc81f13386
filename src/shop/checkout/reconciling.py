"""Whether the books agree: stock and ledger, orders and payments, both and the gateway.

Read from all shards, for a person at a terminal. Each finding names one thing that differs.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db import connections, router

from shop.checkout.charging import standing_of
from shop.inventory.selectors import drift
from shop.orders.models import Order, OrderItem
from shop.payments import gateways
from shop.payments.gateways.base import Standing
from shop.payments.models import Payment

# While orders come in, stock and ledger are not read at the same moment: look twice.
SECOND_LOOK_AFTER = 1.0  # seconds
PAGE = 1000

# An order, its lines and its payments lie on one shard and are read in one snapshot of it.
ORDERS = """
SELECT o.user_id, o.id, o.order_status, o.total_amount, l.total, p.succeeded, p.pending, p.back,
    p.amounts
FROM {orders} o
LEFT JOIN (
    SELECT user_id, order_id, sum(quantity * price) AS total FROM {lines} GROUP BY user_id, order_id
) l ON l.user_id = o.user_id AND l.order_id = o.id
LEFT JOIN (
    SELECT user_id, order_id,
        count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status IN ('refund_due', 'refunded')) AS back,
        min(amount)::text || ' to ' || max(amount)::text AS amounts,
        min(amount) AS least, max(amount) AS most
    FROM {payments} GROUP BY user_id, order_id
) p ON p.user_id = o.user_id AND p.order_id = o.id
WHERE l.total IS DISTINCT FROM o.total_amount
    OR p.least IS DISTINCT FROM o.total_amount OR p.most IS DISTINCT FROM o.total_amount
    OR CASE
        WHEN o.order_status = 'pending' THEN p.succeeded > 0
        WHEN o.order_status IN ('paid', 'shipped', 'delivered')
            THEN p.succeeded <> 1 OR p.pending > 0
        WHEN o.order_status = 'refunded' THEN p.succeeded + p.pending > 0 OR p.back = 0
        ELSE p.succeeded + p.pending > 0
    END
"""


class Finding(NamedTuple):
    """Something that differs: what it is, its id, and what is wrong with it."""

    kind: str
    id: str
    detail: str


def stock() -> Iterator[Finding]:
    """Yield the products whose units are not the sum of their movements."""
    found = drift()
    if found:
        time.sleep(SECOND_LOOK_AFTER)
        again = drift()
        found = [line for line in found if line in again]
    for product_id, available, moved in found:
        detail = f"{available} on the shelf, {moved} by the ledger"
        yield Finding("product", str(product_id), detail)


def orders() -> Iterator[Finding]:
    """Yield the orders whose lines, total, payments and state do not agree."""
    sql = ORDERS.format(
        orders=Order._meta.db_table,
        lines=OrderItem._meta.db_table,
        payments=Payment._meta.db_table,
    )
    with connections[router.db_for_read(Order)].cursor() as cursor:
        cursor.execute(sql)
        for (
            user_id,
            order_id,
            status,
            total,
            lines,
            succeeded,
            pending,
            back,
            amounts,
        ) in cursor:
            detail = (
                f"of user {user_id}: {status}, {total} in total, {lines} in lines; payments: "
                f"{succeeded or 0} succeeded, {pending or 0} pending, {back or 0} sent back, "
                f"of {amounts or 'nothing'}"
            )
            yield Finding("order", str(order_id), detail)


def gateway() -> Iterator[Finding]:
    """Yield the payments that stand otherwise at the gateway, or were charged more than once."""
    ours = {payment.id: payment for payment in _payments()}
    ledger = getattr(gateways.current(), "ledger", None)
    if ledger is None:
        yield from _one_by_one(ours)
        return
    theirs = cast("Callable[[], dict[UUID, dict[str, Any]]]", ledger)()
    for payment_id in ours.keys() | theirs.keys():
        payment = ours.get(payment_id)
        status = payment.status if payment else "unknown"
        line = theirs.get(payment_id, {"charged": 0, "refunded": 0})
        counts = (line["charged"], line["refunded"])
        if _is_theirs(payment) and counts not in EXPECTED.get(status, ()):
            detail = (
                f"{status} here; charged {counts[0]} times and refunded {counts[1]} times there"
            )
            yield Finding("payment", str(payment_id), detail)


# How often a payment may have been charged and refunded. A failed one may have been given up after
# it was charged: then its money went back.
EXPECTED: dict[str, tuple[tuple[int, int], ...]] = {
    Payment.Status.PENDING: ((0, 0),),
    Payment.Status.SUCCEEDED: ((1, 0),),
    Payment.Status.FAILED: ((0, 0), (1, 1)),
    Payment.Status.REFUND_DUE: ((1, 0),),
    Payment.Status.REFUNDED: ((1, 1),),
}
STANDINGS: dict[str, tuple[Standing, ...]] = {
    Payment.Status.PENDING: (Standing.ABSENT, Standing.UNKNOWN),
    Payment.Status.SUCCEEDED: (Standing.SUCCEEDED,),
    Payment.Status.FAILED: (Standing.ABSENT, Standing.DECLINED, Standing.REFUNDED),
    Payment.Status.REFUND_DUE: (Standing.SUCCEEDED,),
    Payment.Status.REFUNDED: (Standing.REFUNDED,),
}


def _one_by_one(ours: dict[UUID, Payment]) -> Iterator[Finding]:
    for payment in filter(_is_theirs, ours.values()):
        standing = standing_of(payment).standing
        if standing not in STANDINGS[payment.status]:
            yield Finding("payment", str(payment.id), f"{payment.status} here, {standing} there")


def _is_theirs(payment: Payment | None) -> bool:
    """Return whether the gateway knows best: it was asked, and nobody paid out past it."""
    return payment is None or bool(payment.asked_at and not payment.paid_out_at)


def _payments() -> Iterator[Payment]:
    """Yield all payments, a page at a time."""
    payments = Payment.objects.cross_shard().order_by("id")
    page = list(payments[:PAGE])
    while page:
        yield from page
        page = list(payments.filter(id__gt=page[-1].id)[:PAGE])
