"""A bad week of two services, one trouble after the other, and the books at its end."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg2

from docs.examples.services import events
from docs.examples.services.books import discrepancies
from docs.examples.services.stack import Service, Stack, until
from sharding.ids import new_id

MONEY = Decimal(1000)
# A COMMIT that brings a reservation waits for as long as somebody else has the lock.
HANG = """
CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hang AFTER INSERT ON reservation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hang();
"""
HANGING = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
"""
HELD = "SELECT 1 FROM reservation WHERE key = %s AND status = 'held'"


class Story:
    """The steps, in their order; `say` gets each line of what is told."""

    def __init__(self, stack: Stack, say: Callable[[str], object] = print) -> None:
        self._stack, self._say = stack, say
        self._products, self._orders = stack.products, stack.orders

    def tell(self) -> list[str]:
        """Play all of it; return what is wrong in the books."""
        self._products.start()
        self._orders.start()
        self._products.database.run(HANG)
        self._ask(self._orders, "POST", "/customers", name="ana", balance=str(MONEY))
        lamp = self.a_product_is_created("Lamp", "20.00", 10)
        desk = self.a_product_is_created("Desk", "400.00", 5)
        order = self.an_order_is_placed({lamp: 2})
        self.a_price_changes_while_orders_is_away(lamp, order)
        self.every_event_comes_again_backwards()
        self.products_dies_before_it_can_answer({lamp: 1, desk: 1})
        self.an_impatient_order_is_compensated({lamp: 3})
        self.what_cannot_be_sold_is_not({lamp: 100}, {desk: 2})
        self.nobody_decides_on_a_hold({lamp: 1})
        self.an_event_makes_no_sense(lamp)
        self.the_stream_is_lost(desk)
        until("every event is handled", self._stack.is_all_heard)
        return list(discrepancies(self._stack, money=MONEY, put_aside=1))

    def a_product_is_created(self, name: str, price: str, available: int) -> int:
        """An event makes it known to orders."""
        made = self._ask(
            self._products, "POST", "/products", name=name, price=price, available=available
        )
        self._know(made["id"], price)
        self._say(f"{name} created: {available} at {price}. orders knows it by product.created.")
        return int(made["id"])

    def an_order_is_placed(self, lines: dict[int, int]) -> UUID:
        """Reserve, pay, confirm; the same key again is the same order."""
        order = self._place(lines)
        self._see(order, "confirmed")
        self._place(lines, key=order)
        self._say("Sent again under its key: one order still.")
        return order

    def a_price_changes_while_orders_is_away(self, product: int, order: UUID) -> None:
        """The event waits in the stream; what was bought keeps its price."""
        self._orders.kill()
        self._ask(self._products, "PATCH", f"/products/{product}", price="25.00")
        self._say("orders is killed. The price becomes 25.00 meanwhile. orders comes back …")
        self._orders.start()
        self._know(product, "25.00")
        bought = self._ask(self._orders, "GET", f"/orders/{order}")["lines"][0]["price"]
        self._say(f"… and has caught up: 25.00 for the next; the first order says {bought}.")

    def every_event_comes_again_backwards(self) -> None:
        """As after a relay that died before it could note what it had sent, and worse."""
        until("every event is handled", self._stack.is_all_heard)
        told = 0
        for stream in self._stack.streams:
            for _, fields in self._stack.redis.xrevrange(stream):
                self._stack.redis.xadd(stream, fields)
                told += 1
        until("the repetitions are handled", self._stack.is_all_heard)
        self._say(f"All {told} events are delivered again, the youngest first: nothing changes.")

    def products_dies_before_it_can_answer(self, lines: dict[int, int]) -> None:
        """The hold is committed, its answer is lost: the retry finds it under the key."""
        with self._killed_at_commit(lines, patience=600) as order:
            self._say("products is killed in a COMMIT: stock is held, and nobody was told.")
            self._see(order, "pending")
        self._products.start()
        self._say("It comes back, and the saga asks again under the same key …")
        self._see(order, "confirmed")

    def an_impatient_order_is_compensated(self, lines: dict[int, int]) -> None:
        """Given up while nobody knows whether stock is held: it is released in any case."""
        with self._killed_at_commit(lines, patience=0) as order:
            self._say("Killed in a COMMIT again. This order does not wait: it owes a release.")
            self._see(order, "cancelling")
        self._products.start()
        self._say("It comes back, and the hold is released …")
        self._see(order, "cancelled")

    def what_cannot_be_sold_is_not(
        self, too_many: dict[int, int], too_dear: dict[int, int]
    ) -> None:
        """A refusal leaves nothing behind; a lack of money leaves a hold, which is released."""
        self._see(self._place(too_many), "cancelled")
        self._see(self._place(too_dear), "cancelled")

    def nobody_decides_on_a_hold(self, lines: dict[int, int]) -> None:
        """As when orders reserves and never comes back."""
        key, body = new_id(), {"lines": lines, "hold": 0.2}
        self._ask(self._products, "POST", "/reservations", key=key, **body)
        until("the hold ends", lambda: not self._products.database.rows(HELD, key))
        self._say("A hold that nobody decides on has ended by itself.")

    def an_event_makes_no_sense(self, product: int) -> None:
        """It is put aside after some attempts; the next ones are handled meanwhile."""
        self._stack.redis.xadd(self._products.stream, {"event": "{}"})
        self._ask(self._products, "PATCH", f"/products/{product}", price="26.00")
        self._know(product, "26.00")
        put_aside = "SELECT 1 FROM dead_letter"
        until("it is put aside", lambda: self._orders.database.rows(put_aside))
        self._say("An event that nobody can read is put aside, the one behind it is handled.")

    def the_stream_is_lost(self, product: int) -> None:
        """What Redis forgets, the outbox still has."""
        self._orders.kill()
        self._ask(self._products, "PATCH", f"/products/{product}", price="420.00")
        unsent = "SELECT 1 FROM outbox WHERE sent_at IS NULL"
        until("the event is sent", lambda: not self._products.database.rows(unsent))
        self._stack.redis.delete(self._products.stream)
        self._orders.start()
        self._say("An event is lost with the whole stream. The outbox is sent once more …")
        events.send_again(self._products.database)
        self._know(product, "420.00")
        self._say("… and orders knows the new price.")

    @contextmanager
    def _killed_at_commit(self, lines: dict[int, int], *, patience: int) -> Iterator[UUID]:
        """Yield an order whose reservation is committed while products is dead."""
        order, products = new_id(), self._products
        with (
            closing(psycopg2.connect(products.database.url)) as lock,
            lock.cursor() as cursor,
            ThreadPoolExecutor(1) as pool,
        ):
            cursor.execute("SELECT pg_advisory_xact_lock(1)")
            placing = pool.submit(self._place, lines, key=order, patience=patience)
            until("its COMMIT hangs", lambda: products.database.rows(HANGING))
            products.kill()
            placing.result()
            lock.rollback()
            until("it is committed", lambda: products.database.rows(HELD, order))
            yield order

    def _place(
        self, lines: dict[int, int], *, key: UUID | None = None, patience: int = 600
    ) -> UUID:
        key = key or new_id()
        order = {"customer": "ana", "lines": lines, "patience": patience}
        self._ask(self._orders, "POST", "/orders", key=key, **order)
        return key

    def _see(self, order: UUID, status: str) -> None:
        """Wait for an order to be in a status, and tell of it."""
        show = f"SELECT total, reason FROM purchase WHERE id = %s AND status = '{status}'"  # noqa: S608
        found = until(f"it is {status}", lambda: self._orders.database.rows(show, order))[0]
        because = f", because: {found['reason']}" if found["reason"] else ""
        self._say(f"An order of {found['total']} is {status}{because}.")

    def _know(self, product: int, price: str) -> None:
        known = "SELECT 1 FROM known_product WHERE id = %s AND price = %s"
        until("orders knows", lambda: self._orders.database.rows(known, product, price))

    def _ask(
        self, service: Service, method: str, path: str, *, key: UUID | str = "", **body: Any
    ) -> Any:
        headers = {"Idempotency-Key": str(key)}
        answer = service.http.request(method, path, json=body, headers=headers)
        return answer.raise_for_status().json()
