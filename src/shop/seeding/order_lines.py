"""Writes orders, and all that an order brings with it, as lines of COPY text."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from shop.inventory.models import StockMovement
from shop.payments.models import Payment
from shop.seeding import tables
from shop.seeding.people import CANCEL_REASONS, CARRIERS
from shop.seeding.sales import MINUTE, Event, Sale, Status
from shop.seeding.tables import Table
from shop.seeding.text import dashed, money, stamp, uuid7, uuid7_of
from shop.seeding.world import World

Reason = StockMovement.Reason
TOPIC = "order.placed"


def orders(world: World, ids: Random, some: Sequence[Sale]) -> dict[Table, list[str]]:
    """Return the lines of these sales, by table."""
    lines: dict[Table, list[str]] = defaultdict(list)
    for sale in some:
        user = world.people[sale.user].id
        key = uuid7_of(user, sale.at, ids)
        total = sum(world.products[index].cents * units for index, units in sale.lines)
        amount, at = money(total), stamp(sale.at)
        cart = uuid7(sale.at - ids.randrange(MINUTE, 90 * MINUTE), ids)
        lines[tables.ORDER].append(
            f"{user}\t{key}\t{at}\t{cart}\t{sale.status}\t{amount}\t{stamp(sale.events[-1].at)}\n"
        )
        lines[tables.ORDER_ITEM] += _items(world, ids, sale, f"{user}\t", f"\t{at}\t{key}\t")
        lines[tables.MOVEMENT] += _movements(world, ids, sale, key)
        lines[tables.ORDER_EVENT] += [
            f"{user}\t{uuid7(event.at, ids)}\t{stamp(event.at)}\t{key}\t{event.status}\t"
            f"{_details(event, sale, ids)}\n"
            for event in sale.events
        ]
        lines[tables.PAYMENT].append(
            f"{user}\t{uuid7_of(user, sale.at, ids)}\t{at}\t{key}\t{sale.method}\t"
            f"{_token(sale)}\t\t{amount}\t{_payment(sale)}\n"
        )
        lines[tables.OUTBOX].append(
            f'{user}\t{uuid7(sale.at, ids)}\t{at}\t{TOPIC}\t{{"order_id": "{dashed(key)}"}}\t'
            f"{stamp(sale.at + ids.randrange(50, 2_000))}\t{{}}\t\\N\t0\t\n"
        )
    return lines


def _items(world: World, ids: Random, sale: Sale, before: str, after: str) -> list[str]:
    lines = []
    for index, units in sale.lines:
        product = world.products[index]
        lines.append(
            f"{before}{uuid7(sale.at, ids)}{after}{world.product_id(index)}\t{product.name}\t"
            f"{units}\t{money(product.cents)}\n"
        )
    return lines


def _movements(world: World, ids: Random, sale: Sale, order: str) -> list[str]:
    """Take the units off the shelf; a cancelled order puts them back."""
    moves = [(-1, sale.at, Reason.ORDER)]
    if sale.status == Status.CANCELLED:
        moves.append((1, sale.events[-1].at, Reason.CANCELLATION))
    return [
        f"{world.product_id(index)}\t{uuid7(at, ids)}\t{sign * units}\t{reason}\t{order}\t"
        f"{stamp(at)}\n"
        for sign, at, reason in moves
        for index, units in sale.lines
    ]


def _details(event: Event, sale: Sale, random: Random) -> str:
    if event.status == Status.SHIPPED:
        number = random.randrange(10**11, 10**12)
        return f'{{"carrier": "{random.choice(CARRIERS)}", "tracking": "{number}"}}'
    if event.status == Status.CANCELLED:
        reason = random.choice(CANCEL_REASONS) if sale.paid_at else "the payment was declined"
        return f'{{"reason": "{reason}"}}'
    return "{}"


def _token(sale: Sale) -> str:
    """Return the payment's token, which is kept until the payment is settled."""
    return "tok_success" if sale.status == Status.PENDING else ""


def _payment(sale: Sale) -> str:
    """Return the payment's status, a tab, and when it got there: as the order says."""
    if sale.status == Status.PENDING:
        status, at = Payment.Status.PENDING, sale.at
    elif not sale.paid_at:
        status, at = Payment.Status.FAILED, sale.events[-1].at
    elif sale.status in (Status.CANCELLED, Status.REFUNDED):
        status, at = Payment.Status.REFUNDED, sale.events[-1].at
    else:
        status, at = Payment.Status.SUCCEEDED, sale.paid_at
    return f"{status}\t{stamp(at)}"
