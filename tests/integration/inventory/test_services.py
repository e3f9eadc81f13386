"""Stock never falls below zero, and its ledger always adds up."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from sharding.ids import new_id
from shop.catalog.models import Product
from shop.inventory import services
from shop.inventory.errors import InsufficientStock
from shop.inventory.models import Stock, StockMovement
from shop.inventory.selectors import available, drift
from tests.conftest import MakeProduct

pytestmark = pytest.mark.django_db


def ledger(product: Product) -> list[tuple[int, str]]:
    rows = StockMovement.objects.for_product(product.id).order_by("id")
    return list(rows.values_list("delta", "reason"))


def test_a_product_that_never_came_in_has_no_stock(make_product: MakeProduct) -> None:
    assert available(make_product().id) == 0
    assert available(999_999) == 0


def test_adjusting_moves_the_shelf_the_ledger_and_the_catalog(make_product: MakeProduct) -> None:
    product = make_product()
    assert services.adjust(product_id=product.id, delta=10, reason="receipt") == 10
    assert services.adjust(product_id=product.id, delta=5, reason="receipt") == 15
    assert services.adjust(product_id=product.id, delta=-15, reason="adjustment") == 0
    assert ledger(product) == [(10, "receipt"), (5, "receipt"), (-15, "adjustment")]
    assert available(product.id) == 0
    services.adjust(product_id=product.id, delta=3, reason="receipt")
    product.refresh_from_db()
    assert product.stock_quantity == 3


@pytest.mark.parametrize("stock", [0, 3])
def test_nothing_is_taken_off_that_is_not_there(make_product: MakeProduct, stock: int) -> None:
    product = make_product(stock=stock)
    before = ledger(product)
    with pytest.raises(InsufficientStock) as caught:
        services.adjust(product_id=product.id, delta=-(stock + 1), reason="adjustment")
    assert caught.value.extra == {
        "lines": [{"product_id": product.id, "requested": stock + 1, "available": stock}]
    }
    assert (available(product.id), ledger(product)) == (stock, before)


def test_taking_several_products_takes_all_of_them(make_product: MakeProduct) -> None:
    one, other, order_id = make_product("a", stock=5), make_product("b", stock=2), new_id()
    services.take({other.id: 2, one.id: 3}, order_id=order_id)
    assert (available(one.id), available(other.id)) == (2, 0)
    (movement,) = StockMovement.objects.for_product(one.id).filter(order_id=order_id)
    assert (movement.delta, movement.reason) == (-3, "order")
    assert drift() == []


def test_taking_names_every_product_that_falls_short(make_product: MakeProduct) -> None:
    one, two, three = make_product("a", stock=5), make_product("b", stock=1), make_product("c")
    with pytest.raises(InsufficientStock) as caught, transaction.atomic():
        services.take({three.id: 1, two.id: 2, one.id: 5}, order_id=new_id())
    assert caught.value.extra["lines"] == [
        {"product_id": two.id, "requested": 2, "available": 1},
        {"product_id": three.id, "requested": 1, "available": 0},
    ]
    assert [available(p.id) for p in (one, two, three)] == [5, 1, 0]
    assert drift() == []


def test_the_ledger_adds_up_to_what_is_there(make_product: MakeProduct) -> None:
    product = make_product(stock=7)
    services.take({product.id: 2}, order_id=new_id())
    services.adjust(product_id=product.id, delta=-1, reason="adjustment")
    total = StockMovement.objects.for_product(product.id).aggregate(n=Sum("delta"))["n"]
    assert total == available(product.id) == 4
    assert drift() == []


def test_drift_finds_what_was_tampered_with(make_product: MakeProduct) -> None:
    right, shelf, book = (make_product(name, stock=5) for name in "abc")
    unbooked = make_product("d")
    Stock.objects.for_product(shelf.id).update(available=6)
    StockMovement.objects.for_product(book.id).update(delta=4)
    Stock.objects.create(product=unbooked, available=2)
    assert drift() == [(shelf.id, 6, 5), (book.id, 5, 4), (unbooked.id, 2, 0)]
    assert right.id not in {found[0] for found in drift()}


def test_the_database_refuses_a_stock_below_zero(make_product: MakeProduct) -> None:
    product = make_product(stock=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.for_product(product.id).update(available=-1)


def test_the_database_refuses_a_movement_of_nothing(make_product: MakeProduct) -> None:
    product = make_product(stock=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(product_id=product.id, delta=0, reason="receipt")


def test_the_database_refuses_a_movement_without_a_shelf(make_product: MakeProduct) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(product_id=make_product().id, delta=1, reason="receipt")
