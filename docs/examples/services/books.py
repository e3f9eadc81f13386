"""Do the two services agree? An auditor may look into both databases; they may not."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from docs.examples.services.stack import Stack

UNFINISHED = "SELECT id FROM purchase WHERE status NOT IN ('confirmed', 'cancelled')"
HELD = "SELECT key FROM reservation WHERE status = 'held'"
RESERVED = """
SELECT key::text AS bought, line.product::bigint, line.units::bigint
FROM reservation, jsonb_each_text(lines) line (product, units) WHERE status = 'confirmed'
"""
BOUGHT = """
SELECT purchase_id::text AS bought, product_id AS product, quantity AS units
FROM line JOIN purchase ON id = purchase_id WHERE status = 'confirmed'
"""
SOLD = "SELECT id AS product, sold AS units FROM product WHERE sold > 0"
BOUGHT_IN_ALL = f"SELECT product, sum(units) AS units FROM ({BOUGHT}) line GROUP BY product"  # noqa: S608
SHELF = "SELECT id AS product, available AS units FROM product"
LEDGER = "SELECT product_id AS product, sum(delta) AS units FROM movement GROUP BY product_id"
CATALOG = "SELECT id, name, price, version FROM product"
COPY = "SELECT id, name, price, version FROM known_product"
BALANCES = "SELECT sum(balance) AS amount FROM customer"
SPENT = "SELECT coalesce(sum(total), 0) AS amount FROM purchase WHERE status = 'confirmed'"
PUT_ASIDE = "SELECT entry_id FROM dead_letter"


def discrepancies(stack: Stack, *, money: Decimal, put_aside: int) -> Iterator[str]:
    """Yield what does not agree when nothing is under way any more.

    Args:
        money: what the customers had at first.
        put_aside: how many of the products' events orders could not handle.
    """
    p, o = stack.products.database.rows, stack.orders.database.rows
    left, spent = o(BALANCES)[0]["amount"], o(SPENT)[0]["amount"]
    books: dict[str, tuple[Any, Any]] = {
        "orders that have not ended": (o(UNFINISHED), []),
        "stock that is still held": (p(HELD), []),
        "stock on the shelf, and its ledger": (p(SHELF), p(LEDGER)),
        "stock taken, and orders confirmed": (p(RESERVED), o(BOUGHT)),
        "units sold by the events, and by the orders": (p(SOLD), o(BOUGHT_IN_ALL)),
        "the catalog, and its copy": (p(CATALOG), o(COPY)),
        "money there was, and money left and spent": (money, left + spent),
        "events put aside": ((len(p(PUT_ASIDE)), len(o(PUT_ASIDE))), (0, put_aside)),
    }
    for what, (one, other) in books.items():
        if _sorted(one) != _sorted(other):
            yield f"{what}: {one} and {other}"


def _sorted(rows: Any) -> Any:
    return sorted(rows, key=str) if isinstance(rows, list) else rows
