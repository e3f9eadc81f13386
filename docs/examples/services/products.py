"""Product management: owns products, prices and stock, and holds stock for those who order.

Invariant: a reservation's row decides. Held, it ends once, confirmed or released; whoever comes
second is told how it ended. `available` is the sum of the product's movements, and never negative.
"""

import json
import os
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from docs.examples.services import events, web
from docs.examples.services.events import Event
from docs.examples.services.store import Database

TABLES = """
CREATE TABLE product (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    price numeric(12, 2) NOT NULL CHECK (price >= 0),
    available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
    sold bigint NOT NULL DEFAULT 0,  -- as the orders' events tell
    version bigint NOT NULL DEFAULT 1
);
CREATE TABLE reservation (
    key uuid PRIMARY KEY,  -- the order's id
    lines jsonb NOT NULL,  -- units by product
    status text NOT NULL CHECK (status IN ('held', 'confirmed', 'released')),
    expires_at timestamptz NOT NULL
);
CREATE INDEX reservation_held ON reservation (expires_at) WHERE status = 'held';
CREATE TABLE movement (
    product_id bigint NOT NULL REFERENCES product, delta bigint NOT NULL, reservation uuid
);
"""
# A decision about a key that nobody knows is kept too: the reservation that it overtook on the way
# must hold nothing when it arrives.
NOTE = """
INSERT INTO reservation VALUES (%s, %s, %s, now() + %s) ON CONFLICT (key) DO NOTHING
"""
DECIDE = """
UPDATE reservation SET status = %s WHERE key = %s AND status = 'held' RETURNING lines
"""
MOVE = """
UPDATE product SET available = available + %s WHERE id = %s AND available + %s >= 0
"""


class OutOfStock(Exception):
    """A product falls short; nothing is held."""


class KeyReused(Exception):
    """The key came before with another request."""


class Products:
    """What product management can do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, *, name: str, price: Decimal, available: int) -> int:
        """Put a product up for sale; return its id."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO product (name, price) VALUES (%s, %s) RETURNING id", [name, price]
            )
            product_id = int(cursor.fetchone()["id"])
            move(cursor, {product_id: available}, None)
            _tell(cursor, "product.created", product_id)
        return product_id

    def change_price(self, product_id: int, price: Decimal) -> None:
        """Change what a product costs from now on; NotThere if there is no such product."""
        with self._database.transaction() as cursor:
            sql = "UPDATE product SET price = %s, version = version + 1 WHERE id = %s"
            cursor.execute(sql, [price, product_id])
            if not cursor.rowcount:
                raise web.NotThere(f"There is no product {product_id}.")
            _tell(cursor, "product.changed", product_id)

    def reserve(self, key: UUID, lines: dict[int, int], *, hold: timedelta) -> str:
        """Hold units of several products, all or none; return how the reservation stands.

        Asked again under its key, it holds nothing more. `hold` is how long it waits for a
        decision.

        Raises:
            OutOfStock, KeyReused
        """
        wanted = json.dumps(lines)
        with self._database.transaction() as cursor:
            cursor.execute(NOTE, [key, wanted, "held", hold])
            if cursor.rowcount:
                move(cursor, {product: -count for product, count in lines.items()}, key)
            cursor.execute(
                "SELECT status, lines IN (%s, '{}') AS is_same FROM reservation WHERE key = %s",
                [wanted, key],
            )
            found = cursor.fetchone()
        if not found["is_same"]:
            raise KeyReused
        return str(found["status"])

    def decide(self, key: UUID, decision: str) -> str:
        """Confirm or release what is held; return the decision that stands: the first one."""
        with self._database.transaction() as cursor:
            cursor.execute(NOTE, [key, "{}", "released", timedelta()])
            cursor.execute(DECIDE, [decision, key])
            if (held := cursor.fetchone()) and decision == "released":
                move(cursor, web.units(held["lines"]), key)
            cursor.execute("SELECT status FROM reservation WHERE key = %s", [key])
            return str(cursor.fetchone()["status"])

    def expire(self) -> None:
        """Release what nobody has decided on in time."""
        overdue = "SELECT key FROM reservation WHERE status = 'held' AND expires_at <= now()"
        for row in self._database.rows(overdue):
            self.decide(row["key"], "released")

    def count_sold(self, cursor: Any, event: Event) -> None:
        """Hear that an order was confirmed. Adding up is what the inbox is there for."""
        for line in event.data["lines"]:
            sql = "UPDATE product SET sold = sold + %s WHERE id = %s"
            cursor.execute(sql, [line["quantity"], line["product_id"]])


def move(cursor: Any, deltas: dict[int, int], key: UUID | None) -> None:
    """Move units on or off the shelf, everybody in the order of the ids: none waits both ways.

    Raises:
        OutOfStock: all of it must be undone.
    """
    for product_id, delta in sorted(deltas.items()):
        cursor.execute(MOVE, [delta, product_id, delta])
        if not cursor.rowcount:
            raise OutOfStock(f"Not enough of product {product_id}.")
        cursor.execute("INSERT INTO movement VALUES (%s, %s, %s)", [product_id, delta, key])


def _tell(cursor: Any, type_: str, product_id: int) -> None:
    """Tell the whole of a product: who misses an event is right again after the next."""
    cursor.execute("SELECT id, name, price, version FROM product WHERE id = %s", [product_id])
    data = cursor.fetchone()
    version = data.pop("version")
    events.publish(cursor, type_, subject=f"product:{product_id}", version=version, data=data)


class Api:
    """What may be asked over HTTP."""

    def __init__(self, products: Products, database: Database) -> None:
        self._products, self._database = products, database
        self.routes: web.Routes = {
            "GET /health": lambda _: (200, {}),
            "GET /products": self._list,
            "POST /products": self._create,
            "PATCH /products/([0-9]{1,9})": self._change,
            "POST /reservations": self._reserve,
            f"POST /reservations/{web.ID}/(confirmed|released)": self._decide,
        }

    def _list(self, _: web.Request) -> web.Answer:
        return 200, self._database.rows("SELECT * FROM product ORDER BY id")

    def _create(self, request: web.Request) -> web.Answer:
        product_id = self._products.create(
            name=request.field("name", web.text),
            price=request.field("price", web.money),
            available=request.field("available", web.count),
        )
        return 201, {"id": product_id}

    def _change(self, request: web.Request) -> web.Answer:
        self._products.change_price(int(request.parts[0]), request.field("price", web.money))
        return 200, {}

    def _reserve(self, request: web.Request) -> web.Answer:
        key, lines = request.idempotency_key, request.field("lines", web.units)
        try:
            status = self._products.reserve(key, lines, hold=request.field("hold", web.seconds))
        except OutOfStock as error:
            return 409, {"status": "refused", "error": str(error)}
        except KeyReused:
            return 422, {"error": "This Idempotency-Key came with other lines."}
        return 200, {"status": status}

    def _decide(self, request: web.Request) -> web.Answer:
        key, decision = request.parts
        stands = self._products.decide(UUID(key), decision)
        return (200 if stands == decision else 409), {"status": stands}


def serve() -> web.Application:
    """Return what gunicorn serves; relay, consumer and the end of holds are threads beside it."""
    database = Database(os.environ["DATABASE"])
    redis = events.connect(os.environ["REDIS_URL"])
    products = Products(database)
    hears = {"order.confirmed": products.count_sold}
    consumer = events.Consumer(database, redis, os.environ["ORDERS_STREAM"], "products", hears)
    events.in_background(
        consumer.turn,
        lambda: events.relay(database, redis, os.environ["PRODUCTS_STREAM"]),
        products.expire,
    )
    return web.Application(Api(products, database).routes)
