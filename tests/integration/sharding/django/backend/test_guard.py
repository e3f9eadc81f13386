"""Every shape of query: what would ask all shards is refused before it is sent, the rest runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext

from sharding.errors import UnscopedQuery
from sharding.ids import new_id
from shop.accounts.models import Identity, User
from shop.carts.models import CartItem, ShoppingCart
from shop.catalog.models import Product
from shop.inventory.models import Stock, StockMovement
from shop.orders.models import Order, OrderItem
from shop.orders.services import Line, create_order
from shop.payments.models import Payment
from shop.reviews.models import Review
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db

ANA, BO = new_id(), new_id()
PAYS_THE_OUTER = Q(user_id=OuterRef("user_id"), order_id=OuterRef("id"))

FANNING_OUT: dict[str, Callable[[], Any]] = {
    "all rows": lambda: list(Order.objects.all()),
    "an iterator": lambda: list(Order.objects.iterator()),
    "first": Order.objects.first,
    "latest": lambda: Order.objects.latest("id"),
    "ordered": lambda: list(Order.objects.order_by("id")),
    "sliced": lambda: list(Order.objects.all()[:1]),
    "distinct": lambda: list(Order.objects.distinct()),
    "by another column": lambda: list(Order.objects.filter(order_status="paid")),
    "by half a key": lambda: list(Order.objects.filter(id=ANA)),
    "a null key": lambda: list(Order.objects.filter(user_id=None)),
    "a range of keys": lambda: list(Order.objects.filter(user_id__gte=ANA)),
    "several keys": lambda: list(Order.objects.filter(user_id__in=[ANA, BO])),
    "several pairs": lambda: list(Order.objects.filter(pk__in=[(ANA, ANA), (BO, ANA)])),
    "several numbers": lambda: Stock.objects.in_bulk([1, 2]),
    "or": lambda: list(Order.objects.filter(Q(user_id=ANA) | Q(id=BO))),
    "or of querysets": lambda: list(Order.objects.for_user(ANA) | Order.objects.for_user(BO)),
    "xor": lambda: list(Order.objects.filter(Q(user_id=ANA) ^ Q(id=BO))),
    "exclude": lambda: list(Order.objects.exclude(user_id=ANA)),
    "negation": lambda: list(Order.objects.filter(~Q(user_id=ANA))),
    "count": Order.objects.count,
    "exists": Order.objects.exists,
    "aggregate": lambda: Order.objects.aggregate(Sum("total_amount")),
    "group by": lambda: list(Order.objects.values("order_status").annotate(n=Count("id"))),
    "values": lambda: list(Order.objects.values("id")),
    "values_list": lambda: list(Order.objects.values_list("user_id", flat=True)),
    "dates": lambda: list(Order.objects.dates("created_at", "day")),
    "update": lambda: Order.objects.update(order_status="paid"),
    "update by status": lambda: Order.objects.filter(order_status="paid").update(cart_id=ANA),
    "delete": lambda: CartItem.objects.all().delete(),
    "delete by product": lambda: CartItem.objects.filter(product_id=1).delete(),
    "locking": lambda: list(Order.objects.select_for_update()),
    "explain": lambda: Order.objects.all().explain(),
    "one arm of a union": lambda: list(Order.objects.for_user(ANA).union(Order.objects.all())),
    "a column as key": lambda: list(Order.objects.filter(user_id=F("id"))),
    "a column in a list": lambda: list(Order.objects.filter(user_id__in=[F("id")])),
    "a column of a copied table": lambda: list(
        Review.objects.filter(product_id=F("product__category_id"))
    ),
    "an expression as key": lambda: list(Review.objects.filter(product_id=F("product_id") * 1)),
    "a subquery as key": lambda: list(
        Order.objects.filter(user_id=Subquery(User.objects.for_user(ANA).values("id")[:1]))
    ),
    "a subquery in an expression": lambda: list(
        Order.objects.filter(
            user_id=Coalesce(Subquery(User.objects.for_user(ANA).values("id")[:1]), Value(BO))
        )
    ),
    "keys from a subquery": lambda: list(
        Order.objects.filter(user_id__in=User.objects.for_user(ANA).values("id"))
    ),
    "an unscoped subquery": lambda: list(
        Order.objects.for_user(ANA).filter(id__in=OrderItem.objects.values("order_id"))
    ),
    "an unscoped exists": lambda: list(
        Order.objects.for_user(ANA).filter(Exists(Payment.objects.filter(order_id=OuterRef("id"))))
    ),
    "outer query unscoped": lambda: list(
        Order.objects.filter(Exists(Payment.objects.filter(user_id=OuterRef("user_id"))))
    ),
    "outer column that is no key": lambda: list(
        Order.objects.for_user(ANA).filter(Exists(Payment.objects.filter(user_id=OuterRef("id"))))
    ),
    "exists per row of a copied table": lambda: list(
        Product.objects.filter(Exists(Review.objects.filter(product=OuterRef("pk"))))
    ),
    "select_related from a copied table": lambda: list(Product.objects.select_related("stock")),
    "filter from a copied table": lambda: list(Product.objects.filter(stock__available=1)),
    "order from a copied table": lambda: list(Product.objects.order_by("stock__available")),
    "values from a copied table": lambda: list(Product.objects.values("stock__available")),
    "annotation from a copied table": lambda: list(Product.objects.annotate(n=Count("reviews"))),
    "prefetch from a copied table": lambda: list(Product.objects.prefetch_related("reviews")),
    "a join on the id alone": lambda: list(
        Stock.objects.for_product(1).filter(product__reviews__product_id=F("product__id") + 0)
    ),
}


@pytest.fixture
def two_products(make_product: MakeProduct) -> None:
    """Two products: some of the queries above reach further only when the first finds rows."""
    make_product("A book")
    make_product("B book")


@pytest.mark.usefixtures("two_products")
@pytest.mark.parametrize("shape", FANNING_OUT)
def test_a_query_that_would_ask_every_shard_is_never_sent(shape: str) -> None:
    with CaptureQueriesContext(connection) as sent, pytest.raises(UnscopedQuery):
        FANNING_OUT[shape]()
    tables = {"orders_", "payments_", "inventory_", "reviews_", "carts_", "accounts_"}
    assert not [q["sql"] for q in sent.captured_queries if any(t in q["sql"] for t in tables)]


@pytest.fixture
def order(ana: User, make_product: MakeProduct) -> Order:
    """An order of Ana's with two lines, an event and a payment; Bo has none."""
    products = [make_product(name) for name in ("A book", "B book")]
    lines = [Line(p.id, p.name, 2, p.price) for p in products]
    made = create_order(user_id=ana.id, order_id=new_id(), cart_id=new_id(), lines=lines)
    Payment.objects.create(
        user_id=ana.id, order_id=made.id, amount=made.total_amount, payment_method="card"
    )
    return Order.objects.get(pk=made.pk)


def _of(order: Order) -> Any:
    return Order.objects.for_user(order.user_id)


# What each asks of the order's shard, and what comes back.
ON_ONE_SHARD: dict[str, tuple[Callable[[Order], Any], Any]] = {
    "for_user": (lambda o: _of(o).count(), 1),
    "for_user and id": (lambda o: _of(o).get(id=o.id).id == o.id, True),
    "exists": (lambda o: _of(o).exists(), True),
    "the key as a text": (lambda o: Order.objects.for_user(str(o.user_id)).count(), 1),
    "pk as a pair": (lambda o: Order.objects.get(pk=(o.user_id, o.id)).id == o.id, True),
    "pk in one pair": (lambda o: Order.objects.filter(pk__in=[(o.user_id, o.id)]).count(), 1),
    "pk in pairs of one user": (
        lambda o: Order.objects.filter(pk__in=[(o.user_id, o.id), (o.user_id, ANA)]).count(),
        1,
    ),
    "in one key": (lambda o: Order.objects.filter(user_id__in=[o.user_id]).count(), 1),
    "in the same key twice": (
        lambda o: Order.objects.filter(user_id__in=(o.user_id, str(o.user_id))).count(),
        1,
    ),
    "in no key": (lambda o: list(Order.objects.filter(user_id__in=[])), []),
    "none": (lambda o: list(Order.objects.none()), []),
    "and": (lambda o: Order.objects.filter(Q(user_id=o.user_id) & ~Q(id=ANA)).count(), 1),
    "or beside the key": (lambda o: _of(o).filter(Q(id=o.id) | Q(cart_id=ANA)).count(), 1),
    "exclude beside the key": (lambda o: _of(o).exclude(order_status="paid").count(), 1),
    "aggregate": (lambda o: _of(o).aggregate(n=Sum("items__quantity"))["n"], 4),
    "aggregate of distinct rows": (lambda o: _of(o).values("order_status").distinct().count(), 1),
    "group by": (lambda o: _of(o).annotate(n=Count("items")).get().n, 2),
    "values": (lambda o: list(_of(o).values_list("order_status", flat=True)), ["pending"]),
    "union": (lambda o: len(_of(o).union(Order.objects.for_user(BO))), 1),
    "select_related": (
        lambda o: (
            {i.order.id for i in OrderItem.objects.for_user(o.user_id).select_related()} <= {o.id}
        ),
        True,
    ),
    "select_related through a relation": (
        lambda o: [
            p.order.id == o.id for p in Payment.objects.for_user(o.user_id).select_related("order")
        ],
        [True],
    ),
    "select_related of a copied table": (
        lambda o: sorted(
            i.product.name for i in OrderItem.objects.for_user(o.user_id).select_related("product")
        ),
        ["A book", "B book"],
    ),
    "prefetch": (lambda o: [len(x.items.all()) for x in _of(o).prefetch_related("items")], [2]),
    "prefetch through two": (
        lambda o: [
            len(p.order.items.all())
            for p in Payment.objects.for_user(o.user_id).prefetch_related("order__items")
        ],
        [2],
    ),
    "the reverse of a relation": (lambda o: o.items.count(), 2),
    "a filter through a relation": (lambda o: _of(o).filter(items__quantity=2).count(), 2),
    "a key behind a relation": (
        lambda o: Order.objects.filter(items__user_id=o.user_id).distinct().count(),
        1,
    ),
    "an object as the key": (lambda o: OrderItem.objects.filter(order=o).count(), 2),
    "exists by the outer key": (
        lambda o: _of(o).filter(Exists(Payment.objects.filter(PAYS_THE_OUTER))).count(),
        1,
    ),
    "a subquery of the same shard": (
        lambda o: (
            _of(o).filter(id__in=OrderItem.objects.for_user(o.user_id).values("order_id")).count()
        ),
        1,
    ),
    "a copied table": (lambda o: Product.objects.count(), 2),
    "one product's stock by join": (
        lambda o: list(Product.objects.filter(stock__product_id=0)),
        [],
    ),
    "a claimed name": (lambda o: Identity.objects.for_key("username:ana").count(), 1),
    "update": (lambda o: _of(o).update(order_status="paid"), 1),
    "update through a relation": (
        lambda o: (
            OrderItem.objects.for_user(o.user_id)
            .filter(order__order_status="pending")
            .update(quantity=3)
        ),
        2,
    ),
    "bulk_update": (
        lambda o: OrderItem.objects.bulk_update(list(o.items.all()), ["quantity"]),
        2,
    ),
    "delete": (lambda o: OrderItem.objects.for_user(o.user_id).delete()[0], 2),
    "delete through a relation": (
        lambda o: (
            OrderItem.objects.for_user(o.user_id).filter(order__order_status="pending").delete()[0]
        ),
        2,
    ),
    "delete of an object": (lambda o: o.payments.get().delete()[0], 1),
    "get_or_create": (
        lambda o: ShoppingCart.objects.for_user(o.user_id).get_or_create(user_id=o.user_id)[1],
        True,
    ),
    "locking": (lambda o: _of(o).select_for_update().get().id == o.id, True),
}


@pytest.mark.parametrize("shape", ON_ONE_SHARD)
def test_a_query_that_names_its_shard_runs(order: Order, shape: str) -> None:
    ask, expected = ON_ONE_SHARD[shape]
    assert ask(order) == expected


def test_an_object_can_be_saved_and_read_again(order: Order) -> None:
    order.order_status = Order.Status.PAID
    order.save()
    order.refresh_from_db()
    assert order.order_status == Order.Status.PAID
    order.save(update_fields=["order_status"])
    assert Order.objects.for_user(order.user_id).get().order_status == Order.Status.PAID


def test_saying_cross_shard_lets_a_query_ask_them_all(order: Order, bo: User) -> None:
    assert Order.objects.cross_shard().count() == 1
    assert Order.objects.cross_shard().exists()
    assert [o.id for o in Order.objects.cross_shard()] == [order.id]
    assert User.objects.cross_shard().filter(username__in=["ana", "bo"]).count() == 2
    assert OrderItem.objects.cross_shard().aggregate(n=Sum("quantity")) == {"n": 4}
    assert Order.objects.cross_shard().exclude(user_id=bo.id).update(order_status="paid") == 1
    assert Payment.objects.cross_shard().filter(status="pending").delete()[0] == 1


def test_cross_shard_is_said_of_each_queryset_by_itself(order: Order) -> None:
    everywhere = Prefetch("items", OrderItem.objects.cross_shard())
    found = Order.objects.cross_shard().prefetch_related(everywhere)
    assert [len(o.items.all()) for o in found] == [2]
    wide = Order.objects.all()
    wide.cross_shard()
    with pytest.raises(UnscopedQuery):
        list(wide)


def test_what_the_guard_refuses_leaves_the_transaction_usable(order: Order) -> None:
    with transaction.atomic():
        with pytest.raises(UnscopedQuery, match=r"orders_order names no user_id"):
            Order.objects.count()
        assert Order.objects.for_user(order.user_id).count() == 1


def test_the_refusal_names_what_to_say_instead() -> None:
    with pytest.raises(UnscopedQuery, match=r"for_user\(\) or for_product\(\).*cross_shard\(\)"):
        StockMovement.objects.count()
