"""What the catalog refuses.

CategoryExists, ProductExists, CategoryCycle, CategoryInUse, ProductInUse, CategoryGone (409)
"""

from shop.core.errors import Conflict


class CategoryExists(Conflict):
    """A parent's children have different names."""

    code = "category_exists"


class ProductExists(Conflict):
    """Slugs are unique."""

    code = "product_exists"


class CategoryCycle(Conflict):
    """A category cannot lie below itself."""

    code = "category_cycle"


class CategoryInUse(Conflict):
    """There are categories or products below it."""

    code = "category_in_use"


class ProductInUse(Conflict):
    """It is in a cart, on a wishlist, in an order or a review, or its stock was ever counted."""

    code = "product_in_use"


class CategoryGone(Conflict):
    """The category that was named has been deleted in the meantime."""

    code = "category_gone"
