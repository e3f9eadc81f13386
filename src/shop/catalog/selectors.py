"""Reading the catalog."""

from decimal import Decimal
from typing import Any, TypedDict, TypeVar

from django.db.models import Model, Q, QuerySet

from shop.catalog import search
from shop.catalog.models import SEARCHED, Category, Product
from shop.core.errors import NotFound

M = TypeVar("M", bound=Model)

ROOT = "root"
DEFAULT_ORDERING = "-created_at"
BEST_FIRST = "-relevance"  # the default of a search
ORDERINGS = ("name", "-name", "price", "-price", "created_at", "-created_at")


class Filters(TypedDict, total=False):
    """What a list of products may be narrowed by."""

    category: int
    search: str
    min_price: Decimal
    max_price: Decimal
    in_stock: bool
    status: str


# What can be sold right now, as far as the published figures tell.
IN_STOCK = Q(stock_quantity__gt=0) | Q(track_inventory=False)


def products(filters: Filters, *, among: QuerySet[Product] | None = None) -> QuerySet[Product]:
    """Return the products that fit all filters; a category includes what lies below it.

    Args:
        among: what to look in, instead of all that is for sale.
    """
    found = for_sale() if among is None else among
    if "category" in filters:
        found = found.filter(category__in=_subtree(filters["category"]))
    if filters.get("search"):
        found = found.filter(search.matching(filters["search"]))
        found = found.annotate(relevance=search.relevance(filters["search"]))
    if "min_price" in filters:
        found = found.filter(price__gte=filters["min_price"])
    if "max_price" in filters:
        found = found.filter(price__lte=filters["max_price"])
    if "in_stock" in filters:
        found = found.filter(IN_STOCK if filters["in_stock"] else ~IN_STOCK)
    if "status" in filters:
        found = found.filter(status=filters["status"])
    return found


def default_ordering(text: str | None) -> str:
    """Return what a list is ordered by unless asked: the best matches of a search come first."""
    return BEST_FIRST if text and text.strip() else DEFAULT_ORDERING


def _subtree(category_id: int) -> QuerySet[Category, Any]:
    """Return a category with all that lies below it, as a subquery that an index can follow."""
    below = Q(id=category_id) | Q(ancestor_ids__contains=[category_id])
    return Category.objects.filter(below).values("id")


def with_category() -> QuerySet[Product]:
    """Return all products, each with its category."""
    return Product.objects.select_related("category").defer(*SEARCHED)


def for_sale() -> QuerySet[Product]:
    """Return the products that customers see and may buy, each with its category."""
    return with_category().filter(status=Product.Status.ACTIVE)


def product_of(product_id: int, *, among: QuerySet[Product] | None = None) -> Product:
    """Return a product, or raise NotFound. Without a join the query takes Citus's fast path.

    Args:
        among: what to look in, instead of the plain products.
    """
    found = Product.objects.defer(*SEARCHED) if among is None else among
    return _one(found, product_id, "product")


def product_for_sale(product_id: int) -> Product:
    """Return a product that customers see and may buy, or raise NotFound."""
    found = Product.objects.defer(*SEARCHED).filter(status=Product.Status.ACTIVE)
    return product_of(product_id, among=found)


def categories(parent: str | None = None) -> QuerySet[Category]:
    """Return the categories: all, those at the ``root``, or the children of the one with an id."""
    if parent is None:
        return Category.objects.all()
    return Category.objects.filter(parent=None if parent == ROOT else int(parent))


def category_of(category_id: int) -> Category:
    """Return a category, or raise NotFound."""
    return _one(Category.objects.all(), category_id, "category")


def _one(found: QuerySet[M], key: int, noun: str) -> M:
    row = found.filter(id=key).first()
    if row is None:
        raise NotFound(f"There is no such {noun}.")
    return row
