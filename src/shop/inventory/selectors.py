"""Reading the inventory."""

from django.db.models import QuerySet, Sum

from shop.inventory.models import Stock, StockMovement


def available(product_id: int) -> int:
    """Return the units of a product that may be sold right now; 0 if none were ever received."""
    stock = Stock.objects.for_product(product_id).first()
    return stock.available if stock else 0


def drift() -> list[tuple[int, int, int]]:
    """Return (product_id, available, Σ movements) wherever the two differ. Asks every shard."""
    movements = dict(
        StockMovement.objects.cross_shard()
        .values_list("product_id")
        .annotate(total=Sum("delta"))
        .values_list("product_id", "total")
    )
    on_shelf = dict(Stock.objects.cross_shard().values_list("product_id", "available"))
    return [
        (product_id, on_shelf.get(product_id, 0), movements.get(product_id, 0))
        for product_id in sorted(on_shelf.keys() | movements.keys())
        if on_shelf.get(product_id, 0) != movements.get(product_id, 0)
    ]


def movements_of(product_id: int) -> QuerySet[StockMovement]:
    """Return the ledger of a product, the newest line first; asks its shard."""
    return StockMovement.objects.for_product(product_id).order_by("-id")
