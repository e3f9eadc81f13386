"""Moving stock: a guarded update decides, the row count tells, a CHECK is the last line."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from prometheus_client import Counter

from sharding.django.transactions import atomic, cursor_for
from shop.catalog.services import publish_stock
from shop.inventory.errors import InsufficientStock
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available

REFUSALS = Counter("shardmart_stock_refusals_total", "Orders refused because a product fell short.")

# Adds to the shelf, or begins it.
ADD = """
INSERT INTO {stock} AS shelf (product_id, available, updated_at) VALUES (%s, %s, %s)
ON CONFLICT (product_id) DO UPDATE
SET available = shelf.available + EXCLUDED.available, updated_at = EXCLUDED.updated_at
"""


def take(quantities: Mapping[int, int], *, order_id: UUID) -> None:
    """Take units of several products from the shelf, all or none, inside the caller's transaction.

    Products are taken in the order of their ids by everybody, so that two orders never wait for
    each other both ways.

    Args:
        quantities: units by product id, each above 0.
        order_id: what the ledger says they went to.

    Raises:
        InsufficientStock: names every product that falls short; the transaction must be undone.
    """
    short = [pid for pid in sorted(quantities) if not _take_one(pid, quantities[pid])]
    if short:
        REFUSALS.inc()
        raise InsufficientStock(
            "Not enough stock for this order.",
            lines=[_shortage(pid, quantities[pid]) for pid in short],
        )
    StockMovement.objects.bulk_create(
        StockMovement(
            product_id=pid,
            delta=-quantities[pid],
            reason=StockMovement.Reason.ORDER,
            order_id=order_id,
        )
        for pid in sorted(quantities)
    )


def _take_one(product_id: int, quantity: int) -> bool:
    shelf = Stock.objects.for_product(product_id).filter(available__gte=quantity)
    taken = shelf.update(available=F("available") - quantity, updated_at=timezone.now())
    return taken == 1


def adjust(*, product_id: int, delta: int, reason: str) -> int:
    """Add units to the shelf, or take them off; return what is there then.

    The figure in the catalog follows at once: staff look there to see what they did.

    Args:
        delta: units to add, or below 0 to take off; not 0.

    Raises:
        InsufficientStock: fewer units are there than are to be taken off.
    """
    with atomic(Stock, product_id):
        if delta > 0:
            _add(product_id, delta)
        elif not _take_one(product_id, -delta):
            raise InsufficientStock(
                "Fewer units are there than are to be taken off.",
                lines=[_shortage(product_id, -delta)],
            )
        StockMovement.objects.create(product_id=product_id, delta=delta, reason=reason)
    left = available(product_id)
    publish_stock({product_id: left})
    return left


def _add(product_id: int, quantity: int) -> None:
    with cursor_for(Stock, product_id) as cursor:
        sql = ADD.format(stock=Stock._meta.db_table)
        cursor.execute(sql, [product_id, quantity, timezone.now()])


def _shortage(product_id: int, wanted: int) -> dict[str, int]:
    return {"product_id": product_id, "requested": wanted, "available": available(product_id)}


def give_back(quantities: Mapping[int, int], *, order_id: UUID) -> None:
    """Put the units of a cancelled order back on the shelf, inside the caller's transaction.

    Call it once per order: the caller's guard decides, nothing here does. Products are taken in
    the order of their ids, as `take` does.
    """
    for pid in sorted(quantities):
        _add(pid, quantities[pid])
    StockMovement.objects.bulk_create(
        StockMovement(
            product_id=pid,
            delta=quantities[pid],
            reason=StockMovement.Reason.CANCELLATION,
            order_id=order_id,
        )
        for pid in sorted(quantities)
    )
