"""Moving stock: a guarded update decides, the row count tells, a CHECK is the last line."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import NotSupportedError
from django.db.models import F
from django.utils import timezone
from prometheus_client import Counter

from sharding.django.routing import by_shard, outdated
from sharding.django.transactions import atomic, cursor_for
from shop.catalog.services import publish_stock
from shop.inventory.errors import InsufficientStock
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available

REFUSALS = Counter("shardmart_stock_refusals_total", "Orders refused because a product fell short.")

# Adds to the shelves of one shard, or begins them, in the order that is given.
ADD = """
INSERT INTO {stock} AS shelf (product_id, available, updated_at) VALUES {rows}
ON CONFLICT (product_id) DO UPDATE
SET available = shelf.available + EXCLUDED.available, updated_at = EXCLUDED.updated_at
"""

# Takes what is there of several products of one shard, locking them in the order that is given.
TAKE = """
WITH locked AS (
    SELECT stock.product_id, wanted.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::bigint[])
        WITH ORDINALITY AS wanted (product_id, quantity, place)
    JOIN {stock} stock USING (product_id)
    WHERE stock.product_id = ANY (%(ids)s::bigint[]) ORDER BY wanted.place FOR UPDATE OF stock
)
UPDATE {stock} shelf SET available = shelf.available - locked.quantity, updated_at = %(now)s
FROM locked
WHERE shelf.product_id = locked.product_id AND shelf.product_id = ANY (%(ids)s::bigint[])
    AND shelf.available >= locked.quantity
RETURNING shelf.product_id
"""


def take(quantities: Mapping[int, int], *, order_id: UUID) -> None:
    """Take units of several products from the shelf, all or none, inside the caller's transaction.

    Each shard is asked once. Everybody takes products in the same order (`by_shard`), so that two
    orders never wait for each other both ways.

    Args:
        quantities: units by product id, each above 0.
        order_id: what the ledger says they went to.

    Raises:
        InsufficientStock: names every product that falls short; the transaction must be undone.
    """
    taken = {pid for group in by_shard(Stock, quantities) for pid in _take(group, quantities)}
    if short := sorted(quantities.keys() - taken):
        REFUSALS.inc()
        raise InsufficientStock(
            "Not enough stock for this order.", lines=_shortages(short, quantities)
        )
    _write_down(quantities, sign=-1, reason=StockMovement.Reason.ORDER, order_id=order_id)


def _take(group: Sequence[int], quantities: Mapping[int, int]) -> Iterable[int]:
    """Take products of one shard; return those of which there was enough."""
    if len(group) == 1:  # as most orders are; Citus has a faster path for it
        return [pid for pid in group if _take_one(pid, quantities[pid])]
    wanted = [quantities[pid] for pid in group]
    with cursor_for(Stock, group[0]) as cursor:
        try:
            cursor.execute(
                TAKE.format(stock=Stock._meta.db_table),
                {"ids": group, "quantities": wanted, "now": timezone.now()},
            )
        except NotSupportedError as error:  # rows of two shards cannot be locked by one statement
            raise outdated() from error
        return [pid for (pid,) in cursor.fetchall()]


def _take_one(product_id: int, quantity: int) -> bool:
    shelf = Stock.objects.for_product(product_id).filter(available__gte=quantity)
    taken = shelf.update(available=F("available") - quantity, updated_at=timezone.now())
    return taken == 1


def _shortages(product_ids: Sequence[int], wanted: Mapping[int, int]) -> list[dict[str, int]]:
    shelves = Stock.objects.cross_shard().filter(
        product_id__in=product_ids
    )  # of these shards alone
    there = dict(shelves.values_list("product_id", "available"))
    return [
        {"product_id": pid, "requested": wanted[pid], "available": there.get(pid, 0)}
        for pid in product_ids
    ]


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
            _add({product_id: delta})
        elif not _take_one(product_id, -delta):
            raise InsufficientStock(
                "Fewer units are there than are to be taken off.",
                lines=_shortages([product_id], {product_id: -delta}),
            )
        StockMovement.objects.create(product_id=product_id, delta=delta, reason=reason)
    left = available(product_id)
    publish_stock({product_id: left})
    return left


def give_back(quantities: Mapping[int, int], *, order_id: UUID) -> None:
    """Put the units of a cancelled order back on the shelf, inside the caller's transaction.

    Call it once per order: the caller's guard decides, nothing here does. Products are given back
    in the order in which `take` takes them.
    """
    for group in by_shard(Stock, quantities):
        _add({pid: quantities[pid] for pid in group})
    _write_down(quantities, sign=1, reason=StockMovement.Reason.CANCELLATION, order_id=order_id)


def _add(quantities: Mapping[int, int]) -> None:
    """Add to the shelves of one shard."""
    now = timezone.now()
    rows = [value for pid, quantity in quantities.items() for value in (pid, quantity, now)]
    sql = ADD.format(stock=Stock._meta.db_table, rows=", ".join(["(%s, %s, %s)"] * len(quantities)))
    with cursor_for(Stock, next(iter(quantities))) as cursor:
        cursor.execute(sql, rows)


def _write_down(quantities: Mapping[int, int], *, sign: int, reason: str, order_id: UUID) -> None:
    """Add to the ledger what an order took, or gave back."""
    StockMovement.objects.bulk_create(
        StockMovement(
            product_id=pid, delta=sign * quantities[pid], reason=reason, order_id=order_id
        )
        for pid in sorted(quantities)
    )
