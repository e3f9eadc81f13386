"""The stock of one shard is taken by one statement, in an order that all orders have in common."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from sharding import shard_map
from sharding.django import map_cache, routing
from sharding.django.failures import MapOutdated
from sharding.ids import new_id
from sharding.shard_map import ShardMap, Table
from shop.catalog.models import Product
from shop.core.db import retrying
from shop.inventory import services
from shop.inventory.errors import InsufficientStock
from shop.inventory.models import Stock
from shop.inventory.selectors import available, drift
from tests.cluster.routing.conftest import statements
from tests.conftest import MakeProduct
from tests.integration.core.concurrency import beside

Shelves = Callable[[int], list[Product]]


@pytest.fixture
def on_one_shard(make_product: MakeProduct) -> Shelves:
    """Make products of one shard, each with ten units on the shelf."""

    def make(number: int) -> list[Product]:
        found: dict[int, list[Product]] = {}
        for count in range(500):
            product = make_product(f"book {count}")
            table = the_map().table("inventory_stock")
            same = found.setdefault(table.find(product.id).id, [])
            same.append(product)
            if len(same) == number:
                for one in same:
                    services.adjust(product_id=one.id, delta=10, reason="receipt")
                return same
        raise AssertionError("no shard has so many")

    return make


def the_map() -> ShardMap:
    found = map_cache.current()
    assert found is not None
    return found


def changes(work: Callable[[], object]) -> list[str]:
    """Return the statements that change shelves."""
    with statements() as sent:
        work()
    return [sql for _, sql in sent if "UPDATE" in sql and "inventory_stock" in sql]


def take(wanted: dict[int, int]) -> None:
    def work() -> None:
        with transaction.atomic():
            services.take(wanted, order_id=new_id())

    retrying(work)


def test_the_stock_of_one_shard_is_taken_and_given_back_by_one_statement_each(
    on_one_shard: Shelves,
) -> None:
    ids = [product.id for product in on_one_shard(5)]
    wanted = {pid: number + 1 for number, pid in enumerate(ids)}
    assert len(changes(lambda: take(wanted))) == 1
    assert [available(pid) for pid in ids] == [9, 8, 7, 6, 5]

    def give_back() -> None:
        with transaction.atomic():
            services.give_back(wanted, order_id=new_id())

    assert len(changes(give_back)) == 1
    assert [available(pid) for pid in ids] == [10] * 5
    assert drift() == []


def test_an_order_of_many_lines_asks_no_shard_twice_for_its_stock(
    make_product: MakeProduct,
) -> None:
    ids = [make_product(f"book {number}", stock=1).id for number in range(40)]
    shards = {the_map().find("inventory_stock", pid).id for pid in ids}
    assert len(changes(lambda: take(dict.fromkeys(ids, 1)))) == len(shards) < len(ids)
    assert {available(pid) for pid in ids} == {0}


def test_the_lines_of_one_shard_that_fall_short_are_named_and_nothing_is_taken(
    on_one_shard: Shelves, make_product: MakeProduct
) -> None:
    enough, short, never = [*on_one_shard(2), make_product("never came in")]
    with pytest.raises(InsufficientStock) as caught:
        take({enough.id: 10, short.id: 11, never.id: 1})
    assert caught.value.extra["lines"] == [
        {"product_id": short.id, "requested": 11, "available": 10},
        {"product_id": never.id, "requested": 1, "available": 0},
    ]
    assert [available(product.id) for product in (enough, short, never)] == [10, 10, 0]


def test_orders_that_list_the_same_products_in_any_order_sell_each_unit_once(
    on_one_shard: Shelves, make_product: MakeProduct
) -> None:
    others = [make_product(f"other {number}", stock=10).id for number in range(3)]
    ids = [*(product.id for product in on_one_shard(3)), *others]

    def buy(wanted: list[int]) -> bool:
        try:
            take(dict.fromkeys(wanted, 1))
        except InsufficientStock:
            return False
        return True

    works = [lambda way=way: buy(ids[::way]) for way in (1, -1) * 8]
    with beside(*works) as bought:
        pass
    assert sum(done.result() for done in bought) == 10
    assert [available(pid) for pid in ids] == [0] * len(ids)
    assert drift() == []


def test_a_map_from_before_a_split_costs_a_second_try(
    make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the map takes for one shard is two: the statement is refused, and the map read anew."""
    ids = [make_product(f"book {number}", stock=1).id for number in range(12)]
    table = the_map().table("inventory_stock")
    first = table.shards[0]
    whole = first._replace(highest=table.shards[-1].highest)
    before = Table(table.name, table.colocation_id, table.key_column, table.key_type, (whole,))
    read: list[Any] = []

    def load(cursor: Any) -> ShardMap:
        read.append(cursor)
        return ShardMap([before]) if len(read) == 1 else shard_map.from_rows(rows(cursor))

    monkeypatch.setattr(map_cache.shard_map, "load", load)
    monkeypatch.setattr(map_cache, "RETRY", 0.0)
    routing.reset()
    with pytest.raises(MapOutdated), transaction.atomic():
        services.take(dict.fromkeys(ids, 1), order_id=new_id())
    take(dict.fromkeys(ids, 1))
    assert {available(pid) for pid in ids} == {0}
    assert len(read) == 2


def rows(cursor: Any) -> list[Any]:
    cursor.execute(shard_map.SHARDS)
    return list(cursor.fetchall())


def test_groups_are_the_same_whatever_the_map_says_but_for_their_borders(settings: Any) -> None:
    keys = list(range(1, 200))
    grouped = routing.by_shard(Stock, reversed(keys))
    assert [the_map().find("inventory_stock", group[0]).id for group in grouped] == [
        shard.id
        for shard in the_map().table("inventory_stock").shards
        if any(the_map().find("inventory_stock", key).id == shard.id for key in keys)
    ]
    settings.SHARD_ROUTING = False
    alone = routing.by_shard(Stock, keys)
    assert alone == [[key] for group in grouped for key in group]
