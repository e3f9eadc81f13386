"""Bringing catalog and stock to what a shop's export says.

Importing the same file twice changes nothing the second time: products are written where they
differ, and the ledger gets the difference between the export's quantity and what is there.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connections, router
from django.db.models import F
from django.utils import timezone

from sharding.django.operations import SEQUENTIAL
from sharding.django.transactions import atomic
from shop.catalog.bulk import (
    Tell,
    again_if_taken,
    archive,
    batches,
    category_paths,
    ensure_categories,
    key_of,
    products_of,
    silent,
    upsert_products,
)
from shop.catalog.entry import Entry, Key
from shop.catalog.models import Product
from shop.catalog.services import BATCH, publish_stock
from shop.catalog.shopify import BadRow, Export, Variant
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available

# Begins many shelves; where somebody began one meanwhile, adds to it.
BEGIN = """
INSERT INTO {stock} AS shelf (product_id, available, updated_at) VALUES {rows}
ON CONFLICT (product_id) DO UPDATE
SET available = shelf.available + EXCLUDED.available, updated_at = EXCLUDED.updated_at
"""


EMPTY = "nothing in stock"


class Removed(NamedTuple):
    """A variant of one of the file's products that the file no longer has."""

    product_id: int
    name: str


@dataclass(slots=True)
class Summary:
    """What an import did, or would do: products by what became of them, and what needs a look."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    restocked: int = 0
    untold: int = 0  # without a quantity: their stock was left as it is
    uncounted: int = 0  # sold without counting
    adoptable: int = 0
    not_for_sale: Counter[str] = field(default_factory=Counter)  # by status
    not_loaded: Counter[str] = field(default_factory=Counter)  # cells by column
    warnings: list[tuple[int, str]] = field(default_factory=list)  # with their lines
    unsold: list[tuple[int, str]] = field(default_factory=list)  # with their lines: why not
    removed: list[Removed] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        return self.created + self.updated + self.unchanged


def import_rows(
    rows: Export,
    *,
    dry_run: bool = False,
    archive_removed: bool = False,
    adopt: bool = False,
    tell: Tell = silent,
) -> Summary:
    """Load all rows that can be loaded, in few statements, and publish the stock once.

    Categories and products are committed before the stock: each write of theirs locks a table on
    all nodes, and should not be held while a thousand shelves are filled. An import that breaks
    off is completed by running it again.

    Args:
        dry_run: write nothing, and tell what would be done.
        archive_removed: take variants off sale that the file no longer has.
        adopt: take products without a handle for those that earlier imports made of these.
        tell: hears how many products are done.

    Raises:
        IntegrityError: others go on changing the same products.
    """
    summary, variants = _sorted(rows)
    entries = [row.entry for row in variants]
    paths = {entry.category for entry in entries}
    categories = category_paths() if dry_run else again_if_taken(lambda: ensure_categories(paths))
    outcome = upsert_products(entries, categories, adopt=adopt, write=not dry_run, tell=tell)
    summary.created, summary.updated = outcome.created, outcome.updated
    summary.unchanged, summary.adoptable = outcome.unchanged, outcome.adoptable
    wanted = {row.entry.key: row.quantity for row in variants if row.quantity is not None}
    summary.restocked = _restock(wanted, outcome.ids, dry_run)
    summary.removed = _removed(entries, summary.bad)
    if archive_removed and not dry_run:
        archive([one.product_id for one in summary.removed])
    return summary


def _sorted(rows: Export) -> tuple[Summary, list[Variant]]:
    summary, variants = Summary(), []
    for row in rows:
        if isinstance(row, BadRow):
            summary.bad.append(row)
            continue
        variants.append(row)
        summary.warnings += [(row.line, text) for text in row.warnings]
        if reason := _unsold(row):
            summary.unsold.append((row.line, reason))
        if row.entry.status != Product.Status.ACTIVE:
            summary.not_for_sale[row.entry.status] += 1
        if row.entry.track_inventory is False:
            summary.uncounted += 1
        elif row.quantity is None:
            summary.untold += 1
    summary.not_loaded = rows.not_loaded
    return summary, variants


def _unsold(row: Variant) -> str:
    """Return why nobody can buy it afterwards; empty if the file alone does not say so."""
    if row.entry.status != Product.Status.ACTIVE:
        return f"not for sale: {row.entry.status}"
    if row.entry.track_inventory is not False and not row.quantity:
        return EMPTY if row.quantity == 0 else "no quantity: its stock stays as it is"
    return ""


def _restock(quantities: Mapping[Key, int], ids: Mapping[Key, int], dry_run: bool) -> int:
    wanted = {ids[key]: units for key, units in quantities.items() if key in ids}
    if not dry_run:
        return set_stock(wanted)
    there = _available(wanted)
    new = [units for key, units in quantities.items() if key not in ids]
    changed = [key for key, units in wanted.items() if units != there.get(key, 0)]
    return len(changed) + sum(map(bool, new))


def _removed(entries: Collection[Entry], bad: Collection[BadRow]) -> list[Removed]:
    """Return the variants that the file no longer has, of those products that could all be read."""
    if not all(row.handle for row in bad):
        return []  # a row that nobody could read may have been any of them
    keys = {entry.key for entry in entries}
    handles = {entry.handle for entry in entries} - {row.handle for row in bad}
    return [
        Removed(product.id, product.name)
        for product in products_of(handles)
        if key_of(product) not in keys and product.status != Product.Status.ARCHIVED
    ]


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
