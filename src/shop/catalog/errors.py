"""What the catalog refuses.

CategoryExists, ProductExists (409)
"""

from shop.core.errors import Conflict


class CategoryExists(Conflict):
    """A parent's children have different names."""

    code = "category_exists"


class ProductExists(Conflict):
    """Slugs are unique."""

    code = "product_exists"
