"""Both services without their processes, so that a test says when which of them does what."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from docs.examples.services import events, orders, products, web
from docs.examples.services.books import discrepancies
from docs.examples.services.orders import Orders
from docs.examples.services.products import OutOfStock, Products
from docs.examples.services.remote import Unavailable
from docs.examples.services.stack import Stack
from sharding.ids import new_id

LONG, OVER = timedelta(hours=1), timedelta()


class Near:
    """Product management in this process; it can do what is asked and fail to say so."""

    def __init__(self, here: Products) -> None:
        self.here, self.loses_answers = here, False

    def reserve(self, order_id: UUID, lines: dict[int, int]) -> str:
        try:
            return self._answered(self.here.reserve(order_id, lines, hold=LONG))
        except OutOfStock:
            return "refused"

    def confirm(self, order_id: UUID) -> str:
        return self._answered(self.here.decide(order_id, "confirmed"))

    def release(self, order_id: UUID) -> str:
        return self._answered(self.here.decide(order_id, "released"))

    def _answered(self, standing: str) -> str:
        if self.loses_answers:
            raise Unavailable
        return standing


class Shop:
    """Both services without their processes, a lamp of which there are ten, and Ana."""

    def __init__(self, made: Stack) -> None:
        self.stack, self.catalog = made, made.products.database
        self.products = Products(self.catalog)
        self.near = Near(self.products)
        self.orders = Orders(made.orders.database, self.near)  # type: ignore[arg-type]
        hears = {"product.created": self.orders.learn, "product.changed": self.orders.learn}
        self.orders_hear = self._consumer(made.orders, made.products, hears)
        counts = {"order.confirmed": self.products.count_sold}
        self.products_hear = self._consumer(made.products, made.orders, counts)
        self.lamp = self.products.create(name="Lamp", price=Decimal(20), available=10)
        self.run_orders("INSERT INTO customer VALUES ('ana', 100)")
        self.hear()

    def _consumer(self, hearer: Any, teller: Any, handlers: Any) -> events.Consumer:
        redis = self.stack.redis
        return events.Consumer(hearer.database, redis, teller.stream, hearer.name, handlers)

    def run_orders(self, sql: str, *parameters: Any) -> None:
        self.stack.orders.database.run(sql, *parameters)

    def hear(self) -> None:
        """Relay and handle what there is."""
        for service in (self.stack.products, self.stack.orders):
            events.relay(service.database, self.stack.redis, service.stream)
        self.orders_hear.turn()
        self.products_hear.turn()

    def end_connection_of_orders(self) -> None:
        """As PostgreSQL does when it is stopped; the next statement finds out."""
        pid = self.stack.orders.database.rows("SELECT pg_backend_pid() AS pid")[0]["pid"]
        self.catalog.rows("SELECT pg_terminate_backend(%s, 10000)", pid)

    def place(self, units: int, *, patience: timedelta = LONG) -> UUID:
        key = new_id()
        self.orders.place(key, "ana", {self.lamp: units}, patience)
        self.orders.advance(key)
        return key

    def status(self, order: UUID) -> str:
        return str(self.orders.show(order)["status"])

    def left(self) -> int:
        rows = self.catalog.rows("SELECT available FROM product WHERE id = %s", self.lamp)
        return int(rows[0]["available"])

    def known(self) -> dict[str, Any]:
        sql = "SELECT price, version FROM known_product WHERE id = %s"
        return self.stack.orders.database.rows(sql, self.lamp)[0]

    def balance(self) -> int:
        rows = self.stack.orders.database.rows("SELECT balance FROM customer")
        return int(rows[0]["balance"])

    def sold(self) -> int:
        return int(self.catalog.rows("SELECT sold FROM product")[0]["sold"])

    def wrong(self, *, put_aside: int = 0) -> list[str]:
        return list(discrepancies(self.stack, money=Decimal(100), put_aside=put_aside))


def told(product: int, *, version: int, price: str, schema: int = 1, **more: Any) -> str:
    data = {"id": product, "name": "Lamp", "price": price, **more}
    event = events.Event(new_id(), "product.changed", schema, f"product:{product}", version, data)
    return json.dumps(event._asdict(), default=str)


def client(shop: Shop) -> httpx.Client:
    """Ask both services in this process."""
    made = shop.stack
    routes = {
        **products.Api(shop.products, made.products.database).routes,
        **orders.Api(shop.orders, made.orders.database, shop.near).routes,  # type: ignore[arg-type]
    }
    application: Callable[..., Any] = web.Application(routes)
    transport = httpx.WSGITransport(app=application)
    return httpx.Client(transport=transport, base_url="http://example")


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    together = threading.Barrier(count)

    def run(number: int) -> Any:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
