"""What each index is worth: the plan of its query with it and without it.

The index is dropped in a transaction that is rolled back: Citus carries the DROP to every shard,
and the ROLLBACK too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from psycopg2 import sql

from sharding.django.transactions import atomic
from shop.carts.models import CartItem
from shop.catalog import selectors as catalog
from shop.catalog.models import Category, Product
from shop.catalog.selectors import BEST_FIRST
from shop.core.errors import NotFound
from shop.core.models import OutboxEvent
from shop.orders.models import Order, OrderEvent, OrderItem
from shop.payments.models import Payment
from shop.reviews.models import Review

Query = QuerySet[Any, Any]
BUFFERS = re.compile(r"Buffers: shared hit=(\d+)(?: read=(\d+))?")
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) "


@dataclass(frozen=True)
class Sample:
    """Rows of the store that the queries are asked about."""

    user_id: UUID
    order_id: UUID
    cart_user_id: UUID
    cart_id: UUID
    product_id: int
    product_name: str
    category_id: int


@dataclass(frozen=True)
class Case:
    """An index or constraint, and the query that the API makes with its help."""

    table: str
    index: str
    serves: str
    query: Callable[[Sample], Query]
    is_constraint: bool = False


@dataclass(frozen=True)
class Comparison:
    """A query's plan with and without the index; blocks are 8 kB pages of shared buffers."""

    case: Case
    query: str
    plan_with: str
    plan_without: str
    blocks_with: int
    blocks_without: int


def _products(*ordering: str, **filters: Any) -> Query:
    return catalog.products(cast("catalog.Filters", filters)).order_by(*ordering)[:21]


CASES = [
    Case(
        "catalog_product",
        "product_by_age",
        "GET /api/products/ (newest first, the default)",
        lambda _: _products("-created_at", "-id"),
    ),
    Case(
        "catalog_product",
        "product_by_price",
        "GET /api/products/?ordering=price",
        lambda _: _products("price", "id"),
    ),
    Case(
        "catalog_product",
        "product_by_name",
        "GET /api/products/?ordering=name",
        lambda _: _products("name", "id"),
    ),
    Case(
        "catalog_product",
        "product_by_category",
        "GET /api/products/?category=…",
        lambda chosen: _products("-created_at", "-id", category=chosen.category_id),
    ),
    Case(
        "catalog_product",
        "product_search",
        "GET /api/products/?search=…",
        lambda chosen: _products(BEST_FIRST, "-id", search=chosen.product_name),
    ),
    Case(
        "catalog_product",
        "product_search_name",
        "GET /api/products/?search=… by a part of a name",
        lambda chosen: _products(BEST_FIRST, "-id", search=chosen.product_name[1:9]),
    ),
    Case(
        "catalog_product",
        "product_slug",
        "import_catalog: is a slug taken",
        lambda chosen: Product.objects.filter(
            slug=Product.objects.values_list("slug", flat=True).get(id=chosen.product_id)
        ),
        is_constraint=True,
    ),
    Case(
        "catalog_category",
        "category_name_in_parent",
        "import_catalog: find a category by its place",
        lambda chosen: Category.objects.filter(
            parent_id=Category.objects.get(id=chosen.category_id).parent_id,
            name=Category.objects.get(id=chosen.category_id).name,
        ),
        is_constraint=True,
    ),
    Case(
        "orders_order",
        "orders_order_pkey",
        "GET /api/orders/ and GET /api/orders/{id}/",
        lambda chosen: Order.objects.for_user(chosen.user_id).order_by("-id")[:21],
        is_constraint=True,
    ),
    Case(
        "orders_order",
        "order_by_id",
        "GET /api/staff/orders/ (all shards; the pages are of one)",
        lambda _: Order.objects.cross_shard().order_by("-id")[:21],
    ),
    Case(
        "orders_order",
        "order_pending",
        "the orders that nobody has paid (all shards; the pages are of one)",
        lambda _: (
            Order.objects.cross_shard()
            .filter(order_status=Order.Status.PENDING)
            .order_by("id")[:100]
        ),
    ),
    Case(
        "orders_orderitem",
        "order_item_by_product",
        "the orders of a product, for staff (all shards; the pages are of one)",
        lambda chosen: (
            OrderItem.objects.cross_shard()
            .filter(product_id=chosen.product_id)
            .order_by("-id")[:51]
        ),
    ),
    Case(
        "orders_orderitem",
        "order_item_per_product",
        "the lines of GET /api/orders/{id}/; the cascade from an order to its lines",
        lambda chosen: OrderItem.objects.for_user(chosen.user_id).filter(order_id=chosen.order_id),
        is_constraint=True,
    ),
    Case(
        "orders_orderevent",
        "order_event_by_order",
        "the history of an order",
        lambda chosen: (
            OrderEvent.objects.for_user(chosen.user_id)
            .filter(order_id=chosen.order_id)
            .order_by("id")
        ),
    ),
    Case(
        "payments_payment",
        "payment_by_order",
        "the payments of an order",
        lambda chosen: Payment.objects.for_user(chosen.user_id).filter(order_id=chosen.order_id),
    ),
    Case(
        "carts_cartitem",
        "cart_item_per_product",
        "adding up with the line that is there; the cascade from a cart to its lines",
        lambda chosen: CartItem.objects.for_user(chosen.cart_user_id).filter(
            cart_id=chosen.cart_id
        ),
        is_constraint=True,
    ),
    Case(
        "reviews_review",
        "review_per_user",
        "one review per user and product",
        lambda chosen: Review.objects.for_product(chosen.product_id).filter(user_id=chosen.user_id),
    ),
    Case(
        "reviews_review",
        "review_by_user",
        "a user's export and deletion (all shards; the pages are of one)",
        lambda chosen: Review.objects.cross_shard().filter(user_id=chosen.user_id),
    ),
    Case(
        "core_outboxevent",
        "outbox_due",
        "events that somebody waits for, the longest due first",
        lambda chosen: (
            OutboxEvent.objects.for_user(chosen.user_id)
            .filter(due_at__lte=timezone.now())
            .order_by("due_at")[:100]
        ),
    ),
]


def sample() -> Sample:
    """Pick the user with the most orders, one of these, and a product that many reviewed.

    Raises:
        NotFound: the store is empty.
    """
    busiest = Order.objects.cross_shard().values("user_id").annotate(orders=Count("id"))
    row = busiest.order_by("-orders", "user_id").first()
    item = CartItem.objects.cross_shard().order_by("user_id").first()
    if row is None or item is None:
        raise NotFound("The store has no orders and carts yet; run `manage.py seed` first.")
    order = Order.objects.for_user(row["user_id"]).order_by("-id")[:1].get()
    line = OrderItem.objects.for_user(order.user_id).filter(order_id=order.id)[:1].get()
    product = Product.objects.get(id=line.product_id)
    return Sample(
        user_id=order.user_id,
        order_id=order.id,
        cart_user_id=item.user_id,
        cart_id=item.cart_id,
        product_id=product.id,
        product_name=product.name,
        category_id=product.category_id,
    )


def compare(alias: str, chosen: Sample) -> Iterator[Comparison]:
    """Yield a comparison for each of the indexes of the API."""
    with connections[alias].cursor() as cursor:
        for table in sorted({case.table for case in CASES}):
            cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
    for case in CASES:
        query = case.query(chosen).using(alias)
        _explain(alias, query)  # so that neither of the two plans is the first to be made
        with atomic(using=alias):
            text, with_index = _explain(alias, query)
            with connections[alias].cursor() as cursor:
                cursor.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
                cursor.execute(_drop(case))
            _, without = _explain(alias, query)
            transaction.set_rollback(True, using=alias)
        yield Comparison(case, text, with_index, without, _blocks(with_index), _blocks(without))


def _explain(alias: str, query: Query) -> tuple[str, str]:
    statement, params = query.query.get_compiler(using=alias).as_sql()
    with connections[alias].cursor() as cursor:
        cursor.execute(EXPLAIN + statement, params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        text = cursor.mogrify(statement, params).decode()
    return text, plan


def _drop(case: Case) -> sql.Composed:
    name = sql.Identifier(case.index)
    if not case.is_constraint:
        return sql.SQL("DROP INDEX {}").format(name)
    return sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(
        sql.Identifier(case.table), name
    )


def _blocks(plan: str) -> int:
    """Return the pages that the query touched on its shard: the first figure of the plan.

    What stands behind it are the parts of it, and what the planning needed.
    """
    found = BUFFERS.search(plan)
    return int(found[1]) + int(found[2] or 0) if found else 0
