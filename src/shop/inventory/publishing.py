"""Bringing the catalog's published figures up to date with the shelves, in batches."""

from collections.abc import Iterator
from datetime import datetime

from shop.catalog.services import publish_stock
from shop.inventory.models import Stock

# Each batch that changes something locks the products for one short transaction on every node.
BATCH = 1000


def publish_changes(*, since: datetime | None = None) -> int:
    """Publish what is on the shelves; return how many figures changed. Asks every shard.

    Args:
        since: look only at shelves that moved after this; None looks at all.
    """
    return sum(publish_stock(dict(some)) for some in _batches(since))


def _batches(since: datetime | None) -> Iterator[list[tuple[int, int]]]:
    shelves = Stock.objects.cross_shard()
    if since is not None:
        # Without an index: it would make every sale write one more.
        shelves = shelves.filter(updated_at__gte=since)
    figures = list(shelves.values_list("product_id", "available"))
    return (figures[start : start + BATCH] for start in range(0, len(figures), BATCH))
