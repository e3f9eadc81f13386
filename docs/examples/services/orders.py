"""Order processing: owns orders and customers' balances, and keeps its own copy of the catalog.

An order is a saga: its status says which step is next, every step may be run twice, even at once,
and goes from a status by a guarded update.

    pending ──reserve, pay──> paid ──confirm──> confirmed
       │                        └──the hold had ended: money back──> cancelled
       ├──refused──> cancelled
       └──no money, or out of patience──> cancelling ──release──> cancelled

Invariant: who is not paid is never confirmed, and who is cancelling is never paid.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from docs.examples.services import events, web
from docs.examples.services.events import Event
from docs.examples.services.remote import RemoteProducts, Unavailable
from docs.examples.services.store import Database

TABLES = """
CREATE TABLE known_product (  -- a copy: products decides, its events tell
    id bigint PRIMARY KEY, name text NOT NULL, price numeric(12, 2) NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE customer (
    name text PRIMARY KEY, balance numeric NOT NULL CHECK (balance >= 0)
);
CREATE TABLE purchase (
    id uuid PRIMARY KEY,  -- the client's Idempotency-Key
    customer text NOT NULL REFERENCES customer,
    status text NOT NULL DEFAULT 'pending',
    total numeric NOT NULL,
    reason text NOT NULL DEFAULT '',
    patient_until timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    due_at timestamptz  -- when the sweep goes on with it; null: it has ended
);
CREATE INDEX purchase_due ON purchase (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE line (  -- no foreign key to the product, and its name and price of that moment
    purchase_id uuid NOT NULL REFERENCES purchase, product_id bigint NOT NULL,
    name text NOT NULL, price numeric(12, 2) NOT NULL, quantity int NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (purchase_id, product_id)
);
"""
# Of two versions the younger stays, in whichever order they come.
LEARN = """
INSERT INTO known_product AS known VALUES (%s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE
SET name = EXCLUDED.name, price = EXCLUDED.price, version = EXCLUDED.version
WHERE known.version < EXCLUDED.version
"""
KNOWN = """
SELECT known.id, known.name, known.price FROM known_product known, customer
WHERE customer.name = %s AND known.id = ANY (%s)
"""
PLACE = """
INSERT INTO purchase (id, customer, total, patient_until, due_at)
VALUES (%s, %s, %s, now() + %s, now() + interval '1 second') ON CONFLICT (id) DO NOTHING
"""
POSTPONE = """
UPDATE purchase SET attempts = attempts + 1,
    due_at = now() + least(interval '5 seconds', interval '0.1 seconds' * 2 ^ attempts)
WHERE id = %s AND due_at IS NOT NULL
"""
OUT_OF_PATIENCE = "SELECT 1 FROM purchase WHERE id = %s AND patient_until <= now()"
DUE = "SELECT id FROM purchase WHERE due_at <= now() ORDER BY due_at LIMIT 20"
# Where a saga stands. Whoever goes on with it has a second before the sweep does; ended, it is
# nobody's any more.
GO = """
UPDATE purchase SET status = %s, attempts = 0, reason = coalesce(nullif(%s, ''), reason),
    due_at = CASE WHEN %s THEN NULL ELSE now() + interval '1 second' END
WHERE id = %s AND status = %s
"""
PAY = """
UPDATE customer SET balance = balance - total FROM purchase
WHERE purchase.id = %s AND name = customer AND balance >= total
"""
PAY_BACK = """
UPDATE customer SET balance = balance + total FROM purchase
WHERE purchase.id = %s AND name = customer
"""
LINES = """
SELECT product_id, name, price, quantity FROM line WHERE purchase_id = %s ORDER BY product_id
"""
ENDED = {"confirmed", "cancelled"}


class Orders:
    """What order processing can do."""

    def __init__(self, database: Database, products: RemoteProducts) -> None:
        self._database, self._products = database, products

    def place(self, key: UUID, customer: str, lines: dict[int, int], patience: timedelta) -> None:
        """Write an order down, at the prices that are known here.

        Under a key that is there already, nothing is written. `patience` is how long the order may
        wait for product management before it is given up.

        Raises:
            BadRequest: the customer or a product is not known here, or not yet.
        """
        with self._database.transaction() as cursor:
            write(cursor, key, customer, lines, patience)

    def advance(self, order_id: UUID) -> None:
        """Take an order as far as it goes now; what is not answered, the sweep asks again."""
        steps: dict[str, Callable[[UUID], None]] = {
            "pending": self._reserve_and_pay,
            "paid": self._confirm,
            "cancelling": self._release,
        }
        try:
            while step := steps.get(self.show(order_id)["status"]):
                step(order_id)
        except Unavailable:
            self._database.run(POSTPONE, order_id)

    def sweep(self) -> None:
        """Go on with the orders that wait for it, whoever began them."""
        for row in self._database.rows(DUE):
            self.advance(row["id"])

    def learn(self, cursor: Any, event: Event) -> None:
        """Hear of a product as it is now."""
        told = event.data
        cursor.execute(LEARN, [told["id"], told["name"], told["price"], event.version])

    def show(self, order_id: UUID) -> dict[str, Any]:
        """Return an order with its lines; NotThere if there is none."""
        sql = "SELECT id, customer, status, reason, total FROM purchase WHERE id = %s"
        if found := self._database.rows(sql, order_id):
            return found[0] | {"lines": self._database.rows(LINES, order_id)}
        raise web.NotThere(f"There is no order {order_id}.")

    def _reserve_and_pay(self, order_id: UUID) -> None:
        lines = self._database.rows(LINES, order_id)
        units = {line["product_id"]: line["quantity"] for line in lines}
        try:
            standing = self._products.reserve(order_id, units)
        except Unavailable:
            if not self._lose_patience(order_id):
                raise
            return
        with self._database.transaction() as cursor:
            if standing in {"refused", "released"}:
                go(cursor, order_id, "pending", "cancelled", reason=f"stock was {standing}")
            elif go(cursor, order_id, "pending", "paid"):
                cursor.execute(PAY, [order_id])
                if not cursor.rowcount:  # nobody has seen it paid: this is one transaction
                    go(cursor, order_id, "paid", "cancelling", reason="not enough money")

    def _confirm(self, order_id: UUID) -> None:
        standing = self._products.confirm(order_id)
        with self._database.transaction() as cursor:
            if standing == "confirmed":
                go(cursor, order_id, "paid", "confirmed")
            elif go(cursor, order_id, "paid", "cancelled", reason="the hold had ended"):
                cursor.execute(PAY_BACK, [order_id])

    def _release(self, order_id: UUID) -> None:
        self._products.release(order_id)
        with self._database.transaction() as cursor:
            go(cursor, order_id, "cancelling", "cancelled")

    def _lose_patience(self, order_id: UUID) -> bool:
        with self._database.transaction() as cursor:
            cursor.execute(OUT_OF_PATIENCE, [order_id])
            return bool(cursor.rowcount) and go(
                cursor, order_id, "pending", "cancelling", reason="out of patience"
            )


def write(
    cursor: Any, key: UUID, customer: str, lines: dict[int, int], patience: timedelta
) -> None:
    """Write a pending order; `Orders.place` says more."""
    cursor.execute(KNOWN, [customer, list(lines)])
    found = cursor.fetchall()
    if len(found) < len(lines):
        raise web.BadRequest("The customer or a product is not known here.")
    total = sum((line["price"] * lines[line["id"]] for line in found), Decimal(0))
    cursor.execute(PLACE, [key, customer, total, patience])
    for line in found if cursor.rowcount else ():
        row = [key, line["id"], line["name"], line["price"], lines[line["id"]]]
        cursor.execute("INSERT INTO line VALUES (%s, %s, %s, %s, %s)", row)


def go(cursor: Any, order_id: UUID, before: str, after: str, *, reason: str = "") -> bool:
    """Change an order's status, and tell of its end; False if somebody was quicker."""
    has_ended = after in ENDED
    cursor.execute(GO, [after, reason, has_ended, order_id, before])
    is_moved = bool(cursor.rowcount)
    if is_moved and has_ended:
        cursor.execute(LINES, [order_id])
        data = {"id": order_id, "lines": cursor.fetchall()}
        events.publish(cursor, f"order.{after}", subject=f"order:{order_id}", version=1, data=data)
    return is_moved


class Api:
    """What may be asked over HTTP."""

    def __init__(self, orders: Orders, database: Database, products: RemoteProducts) -> None:
        self._orders, self._database, self._products = orders, database, products
        self.routes: web.Routes = {
            "GET /health": lambda _: (200, {}),
            "POST /customers": self._welcome,
            "POST /orders": self._place,
            f"GET /orders/{web.ID}": self._show,
        }

    def _welcome(self, request: web.Request) -> web.Answer:
        customer = [request.field("name", web.text), request.field("balance", web.money)]
        self._database.run("INSERT INTO customer VALUES (%s, %s) ON CONFLICT DO NOTHING", *customer)
        return 200, {}

    def _place(self, request: web.Request) -> web.Answer:
        key, lines = request.idempotency_key, request.field("lines", web.units)
        customer = request.field("customer", web.text)
        self._orders.place(key, customer, lines, request.field("patience", web.seconds))
        self._orders.advance(key)
        order = self._orders.show(key)
        if {line["product_id"]: line["quantity"] for line in order["lines"]} != lines:
            return 422, {"error": "This Idempotency-Key came with other lines."}
        return (201 if order["status"] in ENDED else 202), order

    def _show(self, request: web.Request) -> web.Answer:
        """Compose: the order is ours, how much is left is asked for and may be missing."""
        left = self._products.available()
        return 200, self._orders.show(UUID(request.parts[0])) | {"available": left}


def serve() -> web.Application:
    """Return what gunicorn serves; relay, consumer and sweep are threads beside it."""
    database = Database(os.environ["DATABASE"])
    redis = events.connect(os.environ["REDIS_URL"])
    products = RemoteProducts(os.environ["PRODUCTS_URL"])
    orders = Orders(database, products)
    hears = {"product.created": orders.learn, "product.changed": orders.learn}
    consumer = events.Consumer(database, redis, os.environ["PRODUCTS_STREAM"], "orders", hears)
    events.in_background(
        consumer.turn,
        lambda: events.relay(database, redis, os.environ["ORDERS_STREAM"]),
        orders.sweep,
    )
    return web.Application(Api(orders, database, products).routes)
