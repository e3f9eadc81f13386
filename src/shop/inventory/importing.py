"""Bringing catalog and stock to what a shop's export says.

Importing the same file twice changes nothing the second time: products are written where they
differ, and the ledger gets the difference between the export's quantity and what is there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connections, router
from django.db.models import F
from django.utils import timezone

from sharding.django.operations import SEQUENTIAL
from sharding.django.transactions import atomic
from shop.catalog.bulk import batches, ensure_categories, upsert_products
from shop.catalog.services import BATCH, publish_stock
from shop.catalog.shopify import BadRow, Hidden, Variant
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available

# Begins many shelves; where somebody began one meanwhile, adds to it.
BEGIN = """
INSERT INTO {stock} AS shelf (product_id, available, updated_at) VALUES {rows}
ON CONFLICT (product_id) DO UPDATE
SET available = shelf.available + EXCLUDED.available, updated_at = EXCLUDED.updated_at
"""


@dataclass(slots=True)
class Summary:
    """What an import did: products by what became of them, and the rows that were refused."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    restocked: int = 0
    uncounted: int = 0
    hidden: int = 0
    bad: list[BadRow] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        return self.created + self.updated + self.unchanged


def import_rows(rows: Iterable[Variant | BadRow | Hidden]) -> Summary:
    """Load all rows that can be loaded, in few statements, and publish the stock once.

    Categories and products are committed before the stock: each write of theirs locks a table on
    all nodes, and should not be held while a thousand shelves are filled. An import that breaks
    off is completed by running it again.

    Raises:
        NotShopify: `rows` comes from a file that is no export.
    """
    summary, variants = Summary(), []
    for row in rows:
        if isinstance(row, BadRow):
            summary.bad.append(row)
        elif isinstance(row, Hidden):
            summary.hidden += 1
        else:
            variants.append(row)
    categories = ensure_categories({row.entry.category for row in variants})
    outcome = upsert_products([row.entry for row in variants], categories)
    summary.created, summary.updated = outcome.created, outcome.updated
    summary.unchanged = len(variants) - outcome.created - outcome.updated
    wanted = {
        outcome.ids[row.entry.slug]: row.quantity for row in variants if row.quantity is not None
    }
    summary.uncounted = len(variants) - len(wanted)
    summary.restocked = set_stock(wanted)
    return summary


def set_stock(wanted: Mapping[int, int]) -> int:
    """Bring the shelves to these quantities, and the catalog's figures with them.

    Shelves that begin are written together. Each of the others is moved in a transaction of its
    own: a transaction over many shards that orders write to as well ends in deadlocks, and each
    of them costs the orders that wait about two seconds.

    Returns:
        how many shelves were changed.
    """
    changed = 0
    for some in batches(sorted(wanted), BATCH):
        there = _available(some)
        changed += _begin({key: wanted[key] for key in some if key not in there})
        changed += sum(_move_to(key, wanted[key], units) for key, units in there.items())
    # What is there now, not what was wanted: orders may have come in between.
    publish_stock(_available(wanted))
    return changed


def _begin(quantities: Mapping[int, int]) -> int:
    """Begin shelves, empty ones as well: their product is known to be counted."""
    if not quantities:
        return 0
    now, stocked = timezone.now(), {key: units for key, units in quantities.items() if units}
    rows = ", ".join(["(%s, %s, %s)"] * len(quantities))
    values = [value for key, units in quantities.items() for value in (key, units, now)]
    with atomic(), connections[router.db_for_write(Stock)].cursor() as cursor:
        cursor.execute(SEQUENTIAL)
        cursor.execute(BEGIN.format(stock=Stock._meta.db_table, rows=rows), values)
        StockMovement.objects.bulk_create(_movement(*pair) for pair in stocked.items())
    return len(stocked)


def _move_to(product_id: int, wanted: int, there: int) -> bool:
    """Move a shelf by what it lacked when we looked; tell whether that was anything.

    An order that came since is thus neither lost nor counted twice. If it leaves fewer units than
    are to be taken off, we look again.
    """
    while delta := wanted - there:
        with atomic(Stock, product_id):
            shelf = Stock.objects.for_product(product_id).filter(available__gte=-delta)
            if shelf.update(available=F("available") + delta, updated_at=timezone.now()):
                _movement(product_id, delta).save(force_insert=True)
                return True
        there = available(product_id)
    return False


def _movement(product_id: int, delta: int) -> StockMovement:
    return StockMovement(product_id=product_id, delta=delta, reason=StockMovement.Reason.IMPORT)


def _available(product_ids: Iterable[int]) -> dict[int, int]:
    rows = Stock.objects.cross_shard()
    return {
        product_id: units
        for some in batches(sorted(product_ids), BATCH)
        for product_id, units in rows.filter(product_id__in=some).values_list(
            "product_id", "available"
        )
    }
