"""What a cart refuses.

QuantityTooLarge (409)
"""

from shop.core.errors import Conflict


class QuantityTooLarge(Conflict):
    """A line would hold more units than one line may."""

    code = "quantity_too_large"
