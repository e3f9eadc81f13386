"""Writing many categories and products at once: few statements, because each locks all nodes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from sharding.django.transactions import atomic
from shop.catalog import tree
from shop.catalog.entry import Entry, Path
from shop.catalog.models import Category, Product
from shop.catalog.services import BATCH

T = TypeVar("T")

UPDATED = ("name", "description", "price", "category_id")


@dataclass(slots=True)
class Outcome:
    """What became of the entries: the products' ids by slug, and how many were written."""

    ids: dict[str, int]
    created: int = 0
    updated: int = 0


def category_paths(*, using: str | None = None) -> dict[Path, int]:
    """Return the id of every category by its path."""
    found = {category.id: category for category in Category.objects.using(using)}
    return {
        tuple(found[key].name for key in (*category.ancestor_ids, category.id)): category.id
        for category in found.values()
    }


def with_ancestors(paths: Iterable[Path]) -> list[Path]:
    """Return the paths and all that they lie below, each once, parents before children."""
    every = {path[:depth] for path in paths for depth in range(1, len(path) + 1)}
    return sorted(every, key=lambda path: (len(path), path))


def ensure_categories(paths: Iterable[Path]) -> dict[Path, int]:
    """Return the ids of these categories and of all others; those that are missing are created.

    Raises:
        IntegrityError: somebody created one of them at the same moment.
    """
    wanted, ids = with_ancestors(paths), category_paths()
    if not all(path in ids for path in wanted):
        with atomic():
            # No category may move while others are placed below it.
            tree.locked_tree()
            ids = category_paths()
            ids = _create([path for path in wanted if path not in ids], ids)
    return ids


def _create(missing: Sequence[Path], ids: Mapping[Path, int]) -> dict[Path, int]:
    """Create the missing ones, a statement per level of the tree; return all ids."""
    known = dict(ids)
    for _, level in groupby(missing, key=len):
        some = list(level)
        created = Category.objects.bulk_create(
            Category(
                name=path[-1],
                parent_id=known.get(path[:-1]),
                ancestor_ids=[known[path[:depth]] for depth in range(1, len(path))],
            )
            for path in some
        )
        known |= {path: category.id for path, category in zip(some, created, strict=True)}
    return known


def upsert_products(entries: Sequence[Entry], categories: Mapping[Path, int]) -> Outcome:
    """Create the products that are new, and update those that differ from their entry.

    Products that are right already are not written: a write locks the table on all nodes. Each
    batch is one statement and one transaction.

    Args:
        entries: with different slugs.
        categories: the id of each entry's category.
    """
    outcome = Outcome({})
    for some in batches(entries, BATCH):
        found = {
            product.slug: product
            for product in Product.objects.filter(slug__in=[one.slug for one in some]).only(
                "slug", *UPDATED
            )
        }
        outcome.ids |= {slug: product.id for slug, product in found.items()}
        wanted = [(one, _product(one, categories[one.category])) for one in some]
        changed = [
            product
            for one, product in wanted
            if one.slug not in found or _differ(found[one.slug], product)
        ]
        created = sum(product.slug not in found for product in changed)
        outcome.created += created
        outcome.updated += len(changed) - created
        outcome.ids |= _upsert(changed)
    return outcome


def batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the rows, so many at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _product(entry: Entry, category_id: int) -> Product:
    return Product(
        slug=entry.slug,
        name=entry.name,
        description=entry.description,
        price=entry.price,
        category_id=category_id,
    )


def _differ(one: Product, other: Product) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in UPDATED)


def _upsert(products: list[Product]) -> dict[str, int]:
    """Write the products by their slugs, whoever created them meanwhile; return their ids."""
    written = Product.objects.bulk_create(
        products,
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["name", "description", "price", "category", "updated_at"],
    )
    return {product.slug: product.id for product in written}
