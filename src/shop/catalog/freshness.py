"""Which answers a write to the catalog makes stale, and when: after its commit.

====================  =========================================================================
token                 what depends on it
====================  =========================================================================
``catalog``           everything
``product:<id>``      one product
``products``          the lists of products that name no category
``products:<id>``     the lists of products of this category, which take in what lies below it
``categories``        categories and lists of them: they carry the paths of the whole tree
====================  =========================================================================

A write through the ORM cannot forget this: the models' `save` and `delete` and the querysets'
`update`, `delete` and `bulk_…` (`shop.catalog.rows`) come here. SQL of one's own calls it itself.

Where a category stands is read after the commit: whoever moves it at the same time does the same
after theirs, so that one of the two sees the other's.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

from django.apps import apps
from django.db import DatabaseError

from sharding.django.transactions import on_commit
from shop.core.caching.tokens import expire

logger = logging.getLogger(__name__)

EVERYTHING = "catalog"
PRODUCTS = "products"
CATEGORIES = "categories"

MASS = 1000  # rows, a whole batch of `services.BATCH`; if more are written, everything is stale


def of_product(product_id: int) -> str:
    """Return the token of one product."""
    return f"product:{product_id}"


def of_list(category_id: int) -> str:
    """Return the token of the lists of a category's products."""
    return f"products:{category_id}"


def everything_changed(*, using: str) -> None:
    """Make all answers of the catalog stale: too much was written to tell them apart."""
    _afterwards(lambda: {EVERYTHING}, using)


def products_changed(rows: Iterable[tuple[int, int]], *, using: str) -> None:
    """Make the answers stale that show these products.

    Args:
        rows: their ids, each with its category's; twice if it was moved from one to another.
    """
    pairs = set(rows)
    if not pairs:
        return
    if len(pairs) > MASS:
        everything_changed(using=using)
        return
    categories = {category_id for _, category_id in pairs}
    _afterwards(
        lambda: {
            PRODUCTS,
            *(of_product(product_id) for product_id, _ in pairs),
            *_lists_with(categories, using),
        },
        using,
    )


def rating_changed(product_ids: Iterable[int], *, using: str) -> None:
    """Make the answers stale that show these products' ratings; lists do not."""
    tokens = {of_product(product_id) for product_id in product_ids}
    if tokens:
        _afterwards(lambda: tokens if len(tokens) <= MASS else {EVERYTHING}, using)


def categories_changed(*, using: str) -> None:
    """Make the answers about categories stale; no product is in one that is new or gone."""
    _afterwards(lambda: {CATEGORIES}, using)


def categories_renamed_or_moved(above: Mapping[int, Iterable[int]], *, using: str) -> None:
    """Make the answers stale that show these categories, their products, or where they were.

    Args:
        above: by category id, the ids of those that it was below.
    """

    def tokens() -> set[str]:
        lists = _lists_with(above, using) | {
            of_list(category_id) for old in above.values() for category_id in old
        }
        inside = apps.get_model("catalog", "Product").objects.using(using)
        ids = list(inside.filter(category__in=list(above)).values_list("id", flat=True)[: MASS + 1])
        if len(ids) > MASS:
            return {EVERYTHING}
        return {CATEGORIES, PRODUCTS, *lists, *map(of_product, ids)}

    if len(above) > MASS:
        everything_changed(using=using)
    elif above:
        _afterwards(tokens, using)


def _lists_with(category_ids: Iterable[int], using: str) -> set[str]:
    """Return the tokens of the lists that show the products of these categories."""
    wanted = set(category_ids)
    tree = apps.get_model("catalog", "Category").objects.using(using)
    paths = tree.filter(id__in=wanted).values_list("ancestor_ids", flat=True)
    return {of_list(category_id) for category_id in wanted.union(*paths)}


def _afterwards(tokens: Callable[[], set[str]], using: str) -> None:
    def work() -> None:
        try:
            wanted = tokens()
        except DatabaseError:
            # It is written, and the client shall hear so; we only cannot tell what to renew.
            logger.exception("everything is stale: the category tree could not be read")
            wanted = {EVERYTHING}
        expire(wanted)

    on_commit(work, using=using)
