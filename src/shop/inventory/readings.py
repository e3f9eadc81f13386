"""What the books say against the shelves, as a figure."""

from collections.abc import Iterator

from django.db import connections, router

from sharding.django.readings import Figure, Reading
from shop.inventory.models import Stock, StockMovement

DRIFT_PRODUCTS = Figure(
    "shardmart_stock_drift_products",
    "Products whose units on the shelf are not the sum of their movements; 0 if the books agree.",
)
DRIFT_UNITS = Figure(
    "shardmart_stock_drift_units", "Units by which these products are off, without their sign."
)

# Shelf and ledger of a product lie on one shard: each shard compares its own, in one snapshot.
DRIFT = """
SELECT count(*), coalesce(sum(abs(coalesce(s.available, 0) - coalesce(m.total, 0))), 0)
FROM {stock} s
FULL JOIN (SELECT product_id, sum(delta) AS total FROM {movements} GROUP BY product_id) m
    ON m.product_id = s.product_id
WHERE coalesce(s.available, 0) <> coalesce(m.total, 0)
"""


def drift() -> Iterator[Reading]:
    """Yield how many products do not agree with their ledger. Reads both whole, on every shard."""
    sql = DRIFT.format(stock=Stock._meta.db_table, movements=StockMovement._meta.db_table)
    with connections[router.db_for_read(Stock)].cursor() as cursor:
        cursor.execute(sql)
        products, units = cursor.fetchone()
    yield Reading(DRIFT_PRODUCTS, products)
    yield Reading(DRIFT_UNITS, float(units))
