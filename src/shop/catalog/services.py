"""Writing the catalog: rare, because each write locks the table and commits on every node."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connections, router
from psycopg2 import errorcodes

from sharding.django.transactions import atomic
from shop.catalog import freshness, tree
from shop.catalog.errors import (
    CategoryExists,
    CategoryGone,
    CategoryInUse,
    ProductExists,
    ProductInUse,
)
from shop.catalog.models import Category, Product
from shop.catalog.slugs import free_slugs, slug_of
from shop.core.conditional import Check, unconditional
from shop.core.errors import DomainError, NotFound

# More categories or products than this in one statement gain nothing and hold the lock longer.
BATCH = 1000
SLUG_TRIES = 5  # somebody else may take the one that was free a moment ago

# Not QuerySet.delete(), which would first ask every shard what refers to the row.
DELETE = "DELETE FROM {table} WHERE id = %s"


def create_category(*, name: str, parent: Category | None = None) -> Category:
    """Create a category below a parent, or at the root.

    Raises:
        CategoryExists: the parent has a child of this name already.
        CategoryGone: the parent was deleted meanwhile.
    """
    with atomic():
        above = tree.path_below(parent)
        try:
            return Category.objects.create(name=name, parent=parent, ancestor_ids=above)
        except IntegrityError as error:
            raise _category_refused(error, name) from error


def update_category(category_id: int, changes: Mapping[str, Any]) -> None:
    """Change a category's `name` or `parent`; all that lies below it moves with it.

    Raises:
        NotFound: there is no such category.
        CategoryCycle: the parent is the category itself, or lies below it.
        CategoryExists: the parent has another child of this name.
        CategoryGone: the parent was deleted meanwhile.
    """
    with atomic():
        categories = tree.locked_tree()
        if category_id not in categories:
            raise NotFound("There is no such category.")
        category = categories[category_id]
        category.name = changes.get("name", category.name)
        try:
            if "parent" in changes:
                tree.move(category, changes["parent"], categories)
            category.save(update_fields=["name", "parent", "updated_at"])
        except IntegrityError as error:
            raise _category_refused(error, category.name) from error


def delete_category(category_id: int) -> None:
    """Delete a category with nothing below it.

    Raises:
        NotFound: there is no such category.
        CategoryInUse: it has children or products.
    """
    try:
        found = _delete_row(Category, category_id)
    except IntegrityError as error:
        raise CategoryInUse(
            "There are categories or products in this category; move or delete them first."
        ) from error
    if not found:
        raise NotFound("There is no such category.")
    freshness.categories_changed(using=router.db_for_write(Category))


def create_product(
    *, name: str, price: Decimal, category: Category, slug: str = "", **more: Any
) -> Product:
    """Create a product, without stock.

    Args:
        slug: empty: one is made of the name, with a number if that is taken.
        more: `description`, `status`, `track_inventory`.

    Raises:
        ProductExists: another product has this slug.
        CategoryGone: the category was deleted meanwhile.
    """
    fields = {"name": name, "price": price, "category": category, **more}
    if slug:
        return _create_product(slug, fields)
    for _ in range(SLUG_TRIES - 1):
        try:
            return _create_product(free_slugs([slug_of(name)])[0], fields)
        except ProductExists:
            continue
    return _create_product(free_slugs([slug_of(name)])[0], fields)


def _create_product(slug: str, fields: Mapping[str, Any]) -> Product:
    try:
        with atomic():
            return Product.objects.create(slug=slug, **fields)
    except IntegrityError as error:
        raise _product_refused(error, slug) from error


def update_product(
    product_id: int, changes: Mapping[str, Any], *, check: Check = unconditional
) -> None:
    """Change the fields of a product that are named.

    Args:
        check: run when the product is locked; what it raises leaves the product as it was.

    Raises:
        NotFound: there is no such product.
        ProductExists: another product has this slug.
        CategoryGone: the category was deleted meanwhile.
    """
    with atomic():
        product = _locked(product_id)
        check()
        for name, value in changes.items():
            setattr(product, name, value)
        try:
            product.save(update_fields=[*changes, "updated_at"])
        except IntegrityError as error:
            raise _product_refused(error, product.slug) from error


def delete_product(product_id: int, *, check: Check = unconditional) -> None:
    """Delete a product to which nothing refers.

    Its stock refers to it as soon as it was counted once, and stays with its ledger even when
    nothing is left on the shelf: what was received and sold is never forgotten.

    Args:
        check: run when the product is locked; what it raises keeps the product.

    Raises:
        NotFound: there is no such product.
        ProductInUse: a row on some shard refers to it; the database decides.
    """
    with atomic():
        product = _locked(product_id)
        check()
        try:
            _delete_row(Product, product_id)
        except IntegrityError as error:
            # Only foreign keys can refuse a DELETE. Which one it was depends on the node that
            # was asked first, and its name, which carries a shard's number, is in the text alone.
            raise ProductInUse(
                "This product is in a cart, on a wishlist, in an order or a review, or its stock "
                "was counted; it cannot be deleted."
            ) from error
        shown = [(product.id, product.category_id)]
        freshness.products_changed(shown, using=router.db_for_write(Product))


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
    with atomic():
        Product.objects.bulk_update(changed, ["stock_quantity"], batch_size=BATCH)
    return len(changed)


def _locked(product_id: int) -> Product:
    """Lock a product until the transaction ends; Citus locks the whole table, on all nodes."""
    rows = Product.objects.select_for_update().only("id", "slug", "category_id")
    product = rows.filter(id=product_id).first()
    if product is None:
        raise NotFound("There is no such product.")
    return product


def _delete_row(model: type[Category] | type[Product], key: int) -> bool:
    """Delete a row unless another one, on whichever node, refers to it; tell if it was there."""
    with connections[router.db_for_write(model)].cursor() as cursor:
        cursor.execute(DELETE.format(table=model._meta.db_table), [key])
        return bool(cursor.rowcount)


def _category_refused(error: IntegrityError, name: str) -> DomainError:
    if _breaks_foreign_key(error):
        return CategoryGone("The parent has just been deleted.")
    return CategoryExists(f"There is a category {name!r} at this place already.")


def _product_refused(error: IntegrityError, slug: str) -> DomainError:
    if _breaks_foreign_key(error):
        return CategoryGone("This category has just been deleted.")
    return ProductExists(f"There is a product with the slug {slug!r} already.")


def _breaks_foreign_key(error: IntegrityError) -> bool:
    """Tell a reference to what is gone from a value that is taken."""
    return bool(getattr(error.__cause__, "pgcode", None) == errorcodes.FOREIGN_KEY_VIOLATION)
