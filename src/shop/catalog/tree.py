"""The category tree: each category knows all that stand above it.

Invariant: ``ancestor_ids`` is the parent's ``ancestor_ids`` and the parent itself. Whoever makes it
true holds the rows it depends on: a new category its parent, a move the whole tree.
"""

from collections.abc import Mapping

from django.db import connections, router
from django.utils import timezone

from shop.catalog import freshness
from shop.catalog.errors import CategoryCycle, CategoryGone
from shop.catalog.models import Category

# Puts a category and all below it under another path, in place of the first ids of its own.
REPLANT = """
UPDATE {category} SET ancestor_ids = %s::bigint[] || ancestor_ids[%s:], updated_at = %s
WHERE id = %s OR ancestor_ids @> ARRAY[%s]::bigint[]
"""


def locked_tree() -> dict[int, Category]:
    """Lock all categories until the transaction ends; return them by id.

    They are locked in the order of their ids: two moves never wait for each other both ways.
    """
    return {row.id: row for row in Category.objects.select_for_update().order_by("id")}


def path_below(parent: Category | None) -> list[int]:
    """Return the `ancestor_ids` of the parent's children."""
    if parent is None:
        return []
    locked = Category.objects.select_for_update().filter(id=parent.id).first()
    if locked is None:
        raise CategoryGone("The parent has just been deleted.")
    return [*locked.ancestor_ids, locked.id]


def move(category: Category, parent: Category | None, tree: Mapping[int, Category]) -> None:
    """Place a category below a parent or at the root; all that lies below it comes along.

    One statement, for any number of categories; the category's own `parent` is left to be saved.

    Args:
        tree: all categories, locked.

    Raises:
        CategoryCycle: the parent is the category itself, or lies below it.
        CategoryGone: the parent is not in the tree.
    """
    if parent and parent.id not in tree:
        raise CategoryGone("The parent has just been deleted.")
    above = [*tree[parent.id].ancestor_ids, parent.id] if parent else []
    if category.id in above:
        raise CategoryCycle("A category cannot be moved below itself.")
    category.parent = parent
    if above != category.ancestor_ids:
        _replant(category, above)


def _replant(category: Category, above: list[int]) -> None:
    first_kept = len(category.ancestor_ids) + 1  # arrays begin at 1
    using = router.db_for_write(Category)
    with connections[using].cursor() as cursor:
        cursor.execute(
            REPLANT.format(category=Category._meta.db_table),
            [above, first_kept, timezone.now(), category.id, category.id],
        )
    # Only lists above it change: what lies below it still lies there.
    freshness.categories_renamed_or_moved({category.id: category.ancestor_ids}, using=using)
