"""What the inventory refuses.

InsufficientStock (409)
"""

from shop.core.errors import Conflict


class InsufficientStock(Conflict):
    """More is wanted than is there; `lines` names each product that falls short."""

    code = "insufficient_stock"
