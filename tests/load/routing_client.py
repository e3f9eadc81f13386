"""One client of `tests.load.routing`: asks the shop's own functions, in a process of its own.

It takes a line ("reads 3" or "orders 3", the number being seconds) and answers with one of JSON.
Which servers it asks, and whether by routing, its environment says, as for any shop process.
"""

import json
import os
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import close_old_connections, connections  # noqa: E402

from sharding.django.transactions import alias_for  # noqa: E402
from shop.accounts.models import User  # noqa: E402
from shop.accounts.selectors import active_user  # noqa: E402
from shop.carts.selectors import items_of  # noqa: E402
from shop.carts.services import add_item, discard  # noqa: E402
from shop.checkout.services import place_order  # noqa: E402
from shop.core.idempotency import Answer, run_once  # noqa: E402
from shop.inventory.errors import InsufficientStock  # noqa: E402
from shop.orders.selectors import orders_of  # noqa: E402

READS: dict[str, Callable[[UUID], object]] = {
    "the account": active_user,
    "a page of orders with their lines": lambda user: list(orders_of(user).order_by("-id")[:20]),
    "the cart, joined with the catalog": lambda user: list(items_of(user)),
}
WARM_UP = 20  # users
Statements = Callable[[UUID], list[tuple[str, Any]]]


class Client:
    """The users that it acts for, and the SQL of their reads.

    Half of the users read, and keep what they read; the others order, each through one client.
    """

    def __init__(self, users: list[UUID], products: list[int], number: int, count: int) -> None:
        half = len(users) // 2
        self.users, self.buyers = users[:half], users[half + number :: count]
        self.products = products
        self.random = random.Random(number)
        self.keys = 0
        self.sql = {name: captured(read, users[0]) for name, read in READS.items()}

    def reads(self, seconds: float) -> dict[str, float]:
        """The SQL of each read, as captured, through psycopg2 alone: routed, sent, fetched."""
        return {
            f"SQL alone: {name}": self._rate(partial(self._send, statements), seconds)
            for name, statements in self.sql.items()
        }

    def _send(self, statements: Statements, user_id: UUID) -> None:
        for sql, params in statements(user_id):
            # `default`, too, is asked through this: with routing off it is the answer.
            raw = connections[alias_for(User, user_id)].connection
            with raw.cursor() as cursor:
                cursor.execute(sql, params)
                cursor.fetchall()

    def _rate(self, work: Callable[[UUID], object], seconds: float) -> float:
        """Return how often per second something can be done for one user after the other."""
        done, began, now = 0, perf_counter(), 0.0
        while now < seconds:
            work(self.random.choice(self.users))
            done, now = done + 1, perf_counter() - began
        return done / now

    def orm(self, seconds: float) -> dict[str, float]:
        """The same reads through the shop's own functions."""
        return {
            f"through the ORM: {name}": self._rate(read, seconds) for name, read in READS.items()
        }

    def orders(self, seconds: float) -> dict[str, float]:
        """Fill a cart with three products, and time what placing the order takes."""
        done, spent, end = 0, 0.0, perf_counter() + seconds
        while perf_counter() < end:
            user_id = self.random.choice(self.buyers)
            discard(user_id)
            for product_id in self.random.sample(self.products, 3):
                add_item(user_id=user_id, product_id=product_id, quantity=1)
            self.keys += 1
            began = perf_counter()
            with suppress(InsufficientStock):
                run_once(
                    user_id=user_id,
                    key=f"{os.getpid()}-{self.keys}",
                    fingerprint="",
                    work=lambda user_id=user_id: placed(user_id),
                )
                done += 1
            spent += perf_counter() - began
        return {"orders of three lines placed": done / spent}

    def warm_up(self) -> None:
        """Let every node be connected to, and every cart be filled with what is read."""
        for user_id in self.users:
            discard(user_id)
            for product_id in self.products[:3]:
                add_item(user_id=user_id, product_id=product_id, quantity=1)
        for user_id in self.users[:WARM_UP]:
            for read in READS.values():
                read(user_id)


def placed(user_id: UUID) -> Answer:
    order = place_order(user_id=user_id, payment_method="card", payment_token="tok_success")
    return Answer(201, {"id": str(order.id)})


def captured(read: Callable[[UUID], object], user_id: UUID) -> Statements:
    """Return what makes the statements of a read for any user, from those it sent for this one."""
    sent: list[tuple[str, Any]] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    connection = connections[alias_for(User, user_id)]
    with connection.execute_wrapper(record):
        read(user_id)
    return lambda other: [
        (sql, [other if value == user_id else value for value in params]) for sql, params in sent
    ]


def main() -> None:
    number, count, known = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    client = Client([UUID(text) for text in known["users"]], known["products"], number, count)
    if number == 0:
        client.warm_up()
    for line in sys.stdin:
        what, _, seconds = line.partition(" ")
        work = {"reads": client.reads, "orm": client.orm, "orders": client.orders}[what]
        print(json.dumps(work(float(seconds))), flush=True)
        close_old_connections()


if __name__ == "__main__":
    main()
