"""Events come twice, late, never, or make no sense: what is known is right in the end."""

from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from docs.examples.services import events
from docs.examples.services.products import OutOfStock
from tests.integration.services_example.shop import Shop, told

AT_ONCE = 0


def test_an_event_that_comes_twice_counts_once(shop: Shop) -> None:
    shop.place(2)
    shop.hear()
    events.send_again(shop.stack.orders.database)
    shop.hear()
    assert shop.sold() == 2


def test_an_event_that_comes_late_does_not_undo_a_younger_one(shop: Shop) -> None:
    assert shop.orders_hear.receive(told(shop.lamp, version=3, price="30.00"))
    assert shop.orders_hear.receive(told(shop.lamp, version=2, price="25.00"))
    assert shop.known() == {"price": 30, "version": 3}


def test_what_a_consumer_does_not_know_of_an_event_it_ignores(shop: Shop) -> None:
    shop.orders_hear.receive(told(shop.lamp, version=2, price="25.00", colour="red"))
    assert shop.known()["price"] == 25


def test_an_event_exists_only_if_its_change_does(shop: Shop) -> None:
    before = shop.catalog.rows("SELECT count(*) FROM outbox")
    with pytest.raises(OutOfStock):
        shop.products.create(name="Desk", price=Decimal(1), available=-1)
    assert shop.catalog.rows("SELECT count(*) FROM outbox") == before


def test_a_relay_that_dies_before_it_notes_sends_again(shop: Shop) -> None:
    class Dying:
        def xadd(self, *args: Any, **options: Any) -> None:
            shop.stack.redis.xadd(*args, **options)
            raise ConnectionError

    shop.products.change_price(shop.lamp, Decimal(25))
    with pytest.raises(ConnectionError):
        events.relay(shop.catalog, Dying(), shop.stack.products.stream)
    shop.hear()
    twice = [fields["event"] for _, fields in shop.stack.redis.xrange(shop.stack.products.stream)]
    assert twice[-1] == twice[-2]
    assert shop.known() == {"price": 25, "version": 2}


def test_an_event_that_was_not_acknowledged_is_handled_by_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "IDLE", AT_ONCE)
    shop.products.change_price(shop.lamp, Decimal(25))
    events.relay(shop.catalog, shop.stack.redis, shop.stack.products.stream)
    taken = shop.stack.redis.xreadgroup(
        "orders", "one that died", {shop.stack.products.stream: ">"}
    )
    assert taken
    shop.orders_hear.turn()
    assert shop.known()["price"] == 25


def test_an_event_is_not_to_blame_for_a_database_that_is_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "IDLE", AT_ONCE)
    shop.products.change_price(shop.lamp, Decimal(25))
    events.relay(shop.catalog, shop.stack.redis, shop.stack.products.stream)
    for _ in range(events.MOST_DELIVERIES + 1):
        shop.end_connection_of_orders()
        with pytest.raises(psycopg2.Error):
            shop.orders_hear.turn()
    shop.orders_hear.turn()
    assert shop.known()["price"] == 25


def test_an_event_that_is_none_is_put_aside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "IDLE", AT_ONCE)
    for fields in ({"event": "[]"}, {"event": '{"id": 1}'}, {"no": "event"}):
        shop.stack.redis.xadd(shop.stack.products.stream, fields)
    for _ in range(events.MOST_DELIVERIES):
        shop.orders_hear.turn()
    assert shop.wrong(put_aside=3) == []
    assert shop.stack.is_all_heard()


def test_an_event_of_another_schema_is_put_aside_until_it_is_understood(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "IDLE", AT_ONCE)
    strange = told(shop.lamp, version=2, price="25.00", schema=2)
    shop.stack.redis.xadd(shop.stack.products.stream, {"event": strange})
    shop.products.change_price(shop.lamp, Decimal(30))
    for _ in range(events.MOST_DELIVERIES):
        shop.hear()
    assert shop.known() == {"price": 30, "version": 2}
    assert shop.wrong(put_aside=1) == []
    assert shop.stack.is_all_heard()
    monkeypatch.setattr(events, "SCHEMAS", {1, 2})
    assert shop.orders_hear.try_again() == 1
    assert shop.known() == {"price": 30, "version": 2}
    assert shop.wrong() == []
