"""What the cut costs: the same work in one process, and across HTTP, by turns in one run."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

from docs.examples.services import orders, products
from docs.examples.services.orders import Orders
from docs.examples.services.products import Products
from docs.examples.services.remote import HOLD, RemoteProducts
from docs.examples.services.stack import Stack, until
from sharding.ids import new_id

ROUNDS, CALLS = 15, 40
PLENTY = ROUNDS * CALLS * 10
A_WHILE = timedelta(seconds=HOLD)


def table(stack: Stack) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield f"| medians of {ROUNDS} rounds of {CALLS} calls, by turns | ms | ratio |"
    yield "|---|---:|---:|"
    with closing(RemoteProducts(stack.products.url)) as remote:
        times = _times(_ways(stack, remote))
    for what, base in zip(times, _bases(list(times)), strict=True):
        ratio = statistics.median(
            one / other for one, other in zip(times[what], times[base], strict=True)
        )
        yield f"| {what} | {1000 * statistics.median(times[what]):.2f} | {ratio:.1f} |"


def _bases(names: list[str]) -> list[str]:
    """Every second way is compared with the one before it."""
    return [names[number - number % 2] for number in range(len(names))]


def _ways(stack: Stack, remote: RemoteProducts) -> dict[str, Callable[[], object]]:
    """Return what is measured; for the one transaction, orders gets the tables of both."""
    stack.products.start()
    stack.orders.start()
    stack.orders.database.run(products.TABLES)
    both = stack.orders.database
    here = Products(stack.products.database)
    lines = {_product(here): 1}
    _product(Products(both))  # the first there, too: its id is the same
    until("orders knows it", lambda: both.rows("SELECT 1 FROM known_product"))
    both.run("INSERT INTO customer VALUES ('ana', %s)", PLENTY * 10)
    saga = Orders(both, remote)

    def in_one_transaction() -> None:
        key = new_id()
        with both.transaction() as cursor:
            orders.write(cursor, key, "ana", lines, A_WHILE)
            products.move(cursor, {product: -units for product, units in lines.items()}, key)
            cursor.execute(orders.PAY, [key])
            orders.go(cursor, key, "pending", "confirmed")

    def as_a_saga() -> None:
        key = new_id()
        saga.place(key, "ana", lines, A_WHILE)
        saga.advance(key)

    return {
        "a reservation, by a call in the process": lambda: here.reserve(
            new_id(), lines, hold=A_WHILE
        ),
        "a reservation, over HTTP": lambda: remote.reserve(new_id(), lines),
        "an order, in one transaction": in_one_transaction,
        "an order, as a saga over HTTP": as_a_saga,
    }


def _product(shelf: Products) -> int:
    return shelf.create(name="Lamp", price=Decimal(20), available=PLENTY)


def _times(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the seconds of a call, by round; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                way()
            times[name].append((time.perf_counter() - began) / CALLS)
    return {name: found[1:] for name, found in times.items()}
