"""Draws who bought what, when, and what became of each order. No database is involved."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from shop.orders.models import Order
from shop.payments.models import Payment
from shop.seeding.drawing import Person, Product
from shop.seeding.plan import DAY, Plan
from shop.seeding.popularity import Popularity

HOUR = DAY // 24
MINUTE = HOUR // 60
Status = Order.Status
Method = Payment.Method

METHODS = (Method.CARD, Method.PAYPAL, Method.BANK_TRANSFER)
METHOD_WEIGHTS = (72, 20, 8)
LINES = (1, 2, 3, 4, 5)
LINE_WEIGHTS = (38, 28, 18, 10, 6)
QUANTITIES = (1, 2, 3, 4)
QUANTITY_WEIGHTS = (80, 14, 4, 2)

# Where an order's way ends, if the history is long enough.
FATES = ("delivered", "refunded", "cancelled", "declined")
FATE_WEIGHTS = (89, 3, 5, 3)


class Event(NamedTuple):
    """An order's status from a moment on."""

    status: Status
    at: int


class Sale(NamedTuple):
    """An order to be. `lines` are (index of the product, units); events begin with its placing."""

    user: int
    lines: tuple[tuple[int, int], ...]
    method: Method
    events: list[Event]

    @property
    def at(self) -> int:
        """Return when it was placed."""
        return self.events[0].at

    @property
    def status(self) -> Status:
        """Return how it stands at the end of the history."""
        return self.events[-1].status

    @property
    def paid_at(self) -> int | None:
        """Return when the money came, if it came."""
        return next((event.at for event in self.events if event.status == Status.PAID), None)


def sales(plan: Plan, people: Sequence[Person], products: Sequence[Product]) -> list[Sale]:
    """Return the orders; users and products have a long tail each."""
    random = plan.stream("orders")
    buyers = Popularity(len(people), random, steepness=0.6).draw(random, plan.orders)
    lengths = random.choices(LINES, LINE_WEIGHTS, k=plan.orders)
    goods = iter(Popularity(len(products), random, steepness=0.8).draw(random, sum(lengths)))
    units = iter(random.choices(QUANTITIES, QUANTITY_WEIGHTS, k=sum(lengths)))
    methods = random.choices(METHODS, METHOD_WEIGHTS, k=plan.orders)
    fates = random.choices(FATES, FATE_WEIGHTS, k=plan.orders)
    drawn = []
    for user, length, method, fate in zip(buyers, lengths, methods, fates, strict=True):
        # A product drawn twice makes one line.
        lines = {next(goods): next(units) for _ in range(length)}
        since = max(people[user].at, *(products[index].at for index in lines))
        at = since + HOUR + int((plan.end - since - HOUR) * random.random() ** 1.2)
        events = [event for event in _way(at, method, fate, random) if event.at <= plan.end]
        drawn.append(Sale(user, tuple(lines.items()), method, events))
    return drawn


def _way(at: int, method: Method, fate: str, random: Random) -> list[Event]:
    """Return an order's whole way, as if the history never ended."""
    way = [Event(Status.PENDING, at)]
    if fate == "declined":
        return [*way, Event(Status.CANCELLED, at + _between(random, MINUTE, HOUR))]
    if method == Method.BANK_TRANSFER:
        paid = at + _between(random, DAY, 4 * DAY)
    else:
        paid = at + _between(random, MINUTE // 20, 3 * MINUTE)
    way.append(Event(Status.PAID, paid))
    if fate == "cancelled":
        return [*way, Event(Status.CANCELLED, paid + _between(random, HOUR, DAY))]
    shipped = paid + _between(random, 6 * HOUR, 3 * DAY)
    delivered = shipped + _between(random, DAY, 6 * DAY)
    way += [Event(Status.SHIPPED, shipped), Event(Status.DELIVERED, delivered)]
    if fate == "refunded":
        way.append(Event(Status.REFUNDED, delivered + _between(random, 2 * DAY, 20 * DAY)))
    return way


def _between(random: Random, low: int, high: int) -> int:
    return low + int((high - low) * random.random())
