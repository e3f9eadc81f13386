"""Writing the catalog: rare, because each write locks the table and commits on every node."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from shop.catalog.errors import CategoryExists, ProductExists
from shop.catalog.models import Category, Product

# More categories or products than this in one statement gain nothing and hold the lock longer.
BATCH = 1000
MAX_SLUG = 255  # characters


def create_category(*, name: str, parent: Category | None = None) -> Category:
    """Create a category below a parent, or at the root.

    Raises:
        CategoryExists: the parent has a child of this name already.
    """
    ancestors = [*parent.ancestor_ids, parent.id] if parent else []
    try:
        return Category.objects.create(name=name, parent=parent, ancestor_ids=ancestors)
    except IntegrityError as error:
        raise CategoryExists(f"There is a category {name!r} at this place already.") from error


def create_product(
    *, name: str, price: Decimal, category: Category, slug: str = "", description: str = ""
) -> Product:
    """Create a product, without stock.

    Raises:
        ProductExists: another product has this slug.
    """
    slug = slug or slugify(name, allow_unicode=True)[:MAX_SLUG] or "product"
    try:
        return Product.objects.create(
            name=name, slug=slug, price=price, category=category, description=description
        )
    except IntegrityError as error:
        raise ProductExists(f"There is a product with the slug {slug!r} already.") from error


def publish_stock(available: Mapping[int, int]) -> int:
    """Write the published figures that changed; return how many.

    Args:
        available: units by product id.
    """
    changed = [
        product
        for product in Product.objects.filter(id__in=available).only("id", "stock_quantity")
        if product.stock_quantity != available[product.id]
    ]
    for product in changed:
        product.stock_quantity = available[product.id]
    with transaction.atomic():
        Product.objects.bulk_update(changed, ["stock_quantity"], batch_size=BATCH)
    return len(changed)
