"""What placing an order can fail with, besides what the inventory refuses.

CartEmpty (409)
"""

from shop.core.errors import Conflict


class CartEmpty(Conflict):
    """There is nothing to order, or it was ordered a moment ago."""

    code = "cart_empty"
