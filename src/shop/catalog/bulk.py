"""Writing many categories and products at once: few statements, because each locks all nodes."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias, TypeVar
from unicodedata import normalize

from django.db import IntegrityError
from django.utils.text import slugify

from sharding.django.transactions import atomic
from shop.catalog import tree
from shop.catalog.entry import Entry, Key, Path
from shop.catalog.models import Category, Product
from shop.catalog.services import BATCH
from shop.catalog.slugs import free_slugs, slug_of

T = TypeVar("T")
Tell: TypeAlias = Callable[[int, int], None]  # how many of how many are done
logger = logging.getLogger(__name__)

TRIES = 5
WRITTEN = (
    "handle",
    "options",
    "name",
    "description",
    "price",
    "category_id",
    "status",
    "track_inventory",
)
KNOWN = ("slug", *WRITTEN)


@dataclass(slots=True)
class Outcome:
    """What became of the entries: the products' ids by key, and how many there were of each kind.

    `adoptable` are products without a handle that earlier imports may have made of new entries.
    """

    ids: dict[Key, int] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    adoptable: int = 0

    def add(self, other: "Outcome") -> None:
        """Add what became of other entries."""
        self.ids |= other.ids
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.adoptable += other.adoptable


def silent(done: int, total: int) -> None:
    """Tell nobody."""


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


def upsert_products(
    entries: Sequence[Entry],
    categories: Mapping[Path, int],
    *,
    adopt: bool = False,
    write: bool = True,
    tell: Tell = silent,
) -> Outcome:
    """Create the products that are new, and update those that differ from their entry.

    Products that are right already are not written: a write locks the table on all nodes. Each
    batch is one transaction; it is looked at anew when somebody else wrote one of its products
    meanwhile.

    Args:
        entries: with different keys.
        categories: the id of each entry's category; only without `write` may one be missing.
        adopt: take products that have no handle for those that earlier imports made of these.
        write: False only tells what would be done.
        tell: hears how many of the entries are done.
    """
    outcome = Outcome()
    for some in batches(entries, BATCH):
        outcome.add(again_if_taken(lambda some=some: _upsert(some, categories, adopt, write)))  # type: ignore[misc]
        tell(outcome.created + outcome.updated + outcome.unchanged, len(entries))
    return outcome


def again_if_taken(work: Callable[[], T]) -> T:
    """Run a whole transaction, again where somebody else was faster with one of its rows."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except IntegrityError as error:
            logger.info("somebody else changed the catalog meanwhile: %s", error)
    return work()


def products_of(handles: Collection[str]) -> list[Product]:
    """Return the variants of these handles."""
    return [
        product
        for some in batches(sorted(handles), BATCH)
        for product in Product.objects.filter(handle__in=some).only(*KNOWN)
    ]


def archive(product_ids: Sequence[int]) -> None:
    """Take products off sale."""
    for some in batches(sorted(product_ids), BATCH):
        Product.objects.filter(id__in=some).update(status=Product.Status.ARCHIVED)


def batches(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the rows, so many at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _upsert(
    entries: Sequence[Entry], categories: Mapping[Path, int], adopt: bool, write: bool
) -> Outcome:
    found = {key_of(product): product for product in products_of({one.handle for one in entries})}
    unclaimed = _unclaimed([one for one in entries if one.key not in found])
    if adopt:
        found |= unclaimed
    wanted = [_product(one, found.get(one.key), categories.get(one.category)) for one in entries]
    new = [product for product in wanted if product.id is None]
    changed = [
        product
        for product in wanted
        if product.id is not None and _differ(found[key_of(product)], product)
    ]
    if write:
        with atomic():
            _update(changed)
            _create_new(new)
    return Outcome(
        ids={key_of(product): product.id for product in wanted if product.id is not None},
        created=len(new),
        updated=len(changed),
        unchanged=len(wanted) - len(new) - len(changed),
        adoptable=0 if adopt else len(unclaimed),
    )


def _unclaimed(entries: Sequence[Entry]) -> dict[Key, Product]:
    """Return the products without a handle whose slug earlier imports made of these entries."""
    slugs = {_earlier_slug(one): one.key for one in entries}
    found = Product.objects.filter(slug__in=slugs, handle=None).only(*KNOWN)
    return {slugs[product.slug]: product for product in found}


def _earlier_slug(entry: Entry) -> str:
    """Return what told products from each other before their handles were kept."""
    words = [re.sub(r"\W+", "-", normalize("NFKC", one)) for one in (entry.handle, *entry.options)]
    return slugify("-".join(words), allow_unicode=True)


def _product(entry: Entry, known: Product | None, category_id: int | None) -> Product:
    track = entry.track_inventory
    if track is None:
        track = known.track_inventory if known else True
    return Product(
        id=known.id if known else None,
        slug=known.slug if known else "",
        handle=entry.handle,
        options=list(entry.options),
        name=entry.name,
        description=entry.description,
        price=entry.price,
        category_id=category_id,  # type: ignore[misc]  # None is never written
        status=entry.status,
        track_inventory=track,
    )


def key_of(product: Product) -> Key:
    """Return the handle and options of a product that an import made."""
    return product.handle or "", tuple(product.options)


def _differ(one: Product, other: Product) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in WRITTEN)


def _update(products: list[Product]) -> None:
    """Write the products over those that have their ids."""
    Product.objects.bulk_create(
        products,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[*WRITTEN, "updated_at"],
    )


def _create_new(products: list[Product]) -> None:
    slugs = free_slugs([slug_of(*filter(None, _texts(product))) for product in products])
    for product, slug in zip(products, slugs, strict=True):
        product.slug = slug
    Product.objects.bulk_create(products)


def _texts(product: Product) -> list[str]:
    return [product.handle or "", *product.options]
