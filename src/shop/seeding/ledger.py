"""What the sales leave on each product's shelf.

Invariant: what was received covers all that was ever taken, so that no running balance is below 0,
and received - taken + returned = available.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shop.seeding.drawing import Product
from shop.seeding.sales import Sale, Status


@dataclass(slots=True)
class Shelf:
    """One product's units, and the moment of their last movement."""

    received: int
    available: int
    moved_at: int


def shelves(products: Sequence[Product], sales: Iterable[Sale]) -> list[Shelf]:
    """Return each product's shelf at the end: cancelled orders gave back what they took."""
    stock = [Shelf(product.spare, product.spare, product.at) for product in products]
    for sale in sales:
        returned = sale.status == Status.CANCELLED
        last = sale.events[-1].at if returned else sale.at
        for index, units in sale.lines:
            shelf = stock[index]
            shelf.received += units
            shelf.moved_at = max(shelf.moved_at, last)
            if returned:
                shelf.available += units
    return stock
