"""Writes the made-up shop as lines of COPY text, in portions that fit into memory.

Values are joined by tabs; ``\\N`` is NULL. The word lists hold nothing that needs escaping.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

from sharding.ids import mark_of
from shop.accounts.models import Identity
from shop.core.roles import Role
from shop.inventory.models import StockMovement
from shop.seeding import habits, order_lines, tables
from shop.seeding.tables import Table
from shop.seeding.text import money, stamp, uuid7
from shop.seeding.world import World

T = TypeVar("T")
Lines = dict[Table, list[str]]

PORTION = 2_500  # rows of the world, not of the database: the progress bar moves this often
RECEIPT = StockMovement.Reason.RECEIPT


def portions(world: World, password: str) -> Iterator[tuple[int, Lines]]:
    """Yield the lines of all tables but the categories', with the progress each portion makes.

    Args:
        world: with names and ids settled.
        password: the hash that all users share.
    """
    ids = world.plan.stream("ids")
    yield from _parts(world.products, 1, lambda *part: _products(world, *part))
    yield from _parts(world.products, 0, lambda *part: _shelves(world, ids, *part))
    yield from _parts(world.people, 1, lambda *part: _people(world, password, *part))
    yield from _parts(world.sales, 1, lambda _, some: order_lines.orders(world, ids, some))
    yield from _parts(world.reviews, 0, lambda _, some: _reviews(world, ids, some))
    yield from _parts(world.wishes, 0, lambda _, some: _wishes(world, ids, some))
    yield from _parts(world.carts, 0, lambda _, some: _carts(world, ids, some))


def _parts(
    rows: Sequence[T], weight: int, write: Callable[[int, Sequence[T]], Lines]
) -> Iterator[tuple[int, Lines]]:
    """Yield what `write` makes of each portion, given the index of its first row."""
    for start in range(0, len(rows), PORTION):
        some = rows[start : start + PORTION]
        yield weight * len(some), write(start, some)


def _products(world: World, start: int, some: Sequence[object]) -> Lines:
    lines = []
    for index in range(start, start + len(some)):
        product = world.products[index]
        at = stamp(product.at)
        lines.append(
            f"{world.product_id(index)}\t{product.name}\t{product.slug}\t{product.description}\t"
            f"{money(product.cents)}\t{world.shelves[index].available}\t"
            f"{world.category_ids[product.kind]}\t{at}\t{at}\n"
        )
    return {tables.PRODUCT: lines}


def _shelves(world: World, ids: Random, start: int, some: Sequence[object]) -> Lines:
    stock, movements = [], []
    for index in range(start, start + len(some)):
        shelf, key, at = world.shelves[index], world.product_id(index), world.products[index].at
        stock.append(f"{key}\t{shelf.available}\t{stamp(shelf.moved_at)}\n")
        if shelf.received:
            receipt = f"{shelf.received}\t{RECEIPT}\t\\N\t{stamp(at)}"
            movements.append(f"{key}\t{uuid7(at, ids)}\t{receipt}\n")
    return {tables.STOCK: stock, tables.MOVEMENT: movements}


def _people(world: World, password: str, start: int, some: Sequence[object]) -> Lines:
    identities, users, marks = [], [], []
    for person in world.people[start : start + len(some)]:
        email, at = f"{person.username}@{person.domain}", stamp(person.at)
        identities += [
            f"{Identity.name_of('email', email)}\t{person.id}\n",
            f"{Identity.name_of('username', person.username)}\t{person.id}\n",
        ]
        users.append(
            f"{person.id}\t{person.username}\t{email}\t{password}\t{person.first_name}\t"
            f"{person.last_name}\t{Role.CUSTOMER}\tt\t{at}\t{at}\n"
        )
        marks.append(f"{mark_of(UUID(person.id))}\t{person.id}\n")
    return {tables.IDENTITY: identities, tables.MARK: marks, tables.USER: users}


def _reviews(world: World, ids: Random, some: Sequence[habits.Review]) -> Lines:
    lines = []
    for review in some:
        author, at = world.people[review.user], stamp(review.at)
        lines.append(
            f"{world.product_id(review.product)}\t{uuid7(review.at, ids)}\t{author.id}\t"
            f"{author.first_name}\t{review.rating}\t{review.comment}\tt\t{at}\t{at}\n"
        )
    return {tables.REVIEW: lines}


def _wishes(world: World, ids: Random, some: Sequence[habits.Wish]) -> Lines:
    lines: Lines = defaultdict(list)
    for wish in some:
        user, key = world.people[wish.user].id, uuid7(wish.at, ids)
        lines[tables.WISHLIST].append(f"{user}\t{key}\t{stamp(wish.at)}\n")
        lines[tables.WISHLIST_ITEM] += [
            f"{user}\t{uuid7(at, ids)}\t{stamp(at)}\t{key}\t{world.product_id(product)}\n"
            for product, at in wish.items
        ]
    return lines


def _carts(world: World, ids: Random, some: Sequence[habits.Cart]) -> Lines:
    lines: Lines = defaultdict(list)
    for cart in some:
        user, key, at = world.people[cart.user].id, uuid7(cart.at, ids), stamp(cart.at)
        lines[tables.CART].append(f"{user}\t{key}\t{at}\t{at}\n")
        for index, units in cart.lines:
            line = f"{user}\t{uuid7(cart.at, ids)}\t{at}\t{key}\t{world.product_id(index)}"
            lines[tables.CART_ITEM].append(f"{line}\t{units}\t{at}\n")
    return lines
