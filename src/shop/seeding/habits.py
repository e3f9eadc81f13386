"""Draws what people do besides buying: reviews, wishlists and open carts. No database."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from shop.seeding.drawing import Person, Product
from shop.seeding.people import COMMENTS, RATING_WEIGHTS
from shop.seeding.plan import DAY, Plan
from shop.seeding.popularity import Popularity
from shop.seeding.sales import QUANTITIES, QUANTITY_WEIGHTS, Sale, Status

REVIEWERS = 0.22  # of delivered lines
COMMENTERS = 0.7  # of reviews
WISHERS = 0.4  # of users
CART_OWNERS = 0.15  # of users


class Review(NamedTuple):
    """A review to be, of a product by a user who bought it."""

    user: int
    product: int
    at: int
    rating: int
    comment: str


class Wish(NamedTuple):
    """A wishlist to be; its items are (index of the product, when it was added)."""

    user: int
    at: int
    items: tuple[tuple[int, int], ...]


class Cart(NamedTuple):
    """An open cart to be; `lines` are (index of the product, units)."""

    user: int
    at: int
    lines: tuple[tuple[int, int], ...]


def reviews(plan: Plan, sales: Iterable[Sale]) -> list[Review]:
    """Return the reviews: one per user and product at most, some days after the delivery."""
    random = plan.stream("reviews")
    seen: set[tuple[int, int]] = set()
    drawn = []
    for sale in sales:
        if sale.status != Status.DELIVERED:
            continue
        for product, _ in sale.lines:
            at = sale.events[-1].at + int(21 * DAY * random.random())
            wanted = random.random() < REVIEWERS and at <= plan.end
            if wanted and (sale.user, product) not in seen:
                seen.add((sale.user, product))
                drawn.append(Review(sale.user, product, at, *_opinion(random)))
    return drawn


def _opinion(random: Random) -> tuple[int, str]:
    (rating,) = random.choices(range(1, 6), RATING_WEIGHTS)
    return rating, random.choice(COMMENTS[rating]) if random.random() < COMMENTERS else ""


def wishes(plan: Plan, people: Sequence[Person], products: Sequence[Product]) -> list[Wish]:
    """Return the wishlists, each of one to eight products."""
    random = plan.stream("wishlists")
    taste = Popularity(len(products), random, steepness=0.7)
    drawn = []
    for user, person in enumerate(people):
        if random.random() >= WISHERS:
            continue
        items = [
            (product, _later(max(person.at, products[product].at), plan.end, random))
            for product in dict.fromkeys(taste.draw(random, random.randint(1, 8)))
        ]
        if items:
            drawn.append(Wish(user, min(at for _, at in items), tuple(items)))
    return drawn


def carts(plan: Plan, people: Sequence[Person], products: Sequence[Product]) -> list[Cart]:
    """Return the open carts, filled within the last two weeks of the history."""
    random = plan.stream("carts")
    taste = Popularity(len(products), random, steepness=0.8)
    drawn = []
    for user, person in enumerate(people):
        if random.random() >= CART_OWNERS:
            continue
        at = _later(max(person.at, plan.end - 14 * DAY), plan.end, random)
        goods = dict.fromkeys(taste.draw(random, random.randint(1, 4)))
        units = random.choices(QUANTITIES, QUANTITY_WEIGHTS, k=len(goods))
        lines = list(zip(goods, units, strict=True))
        if lines:
            drawn.append(Cart(user, at, tuple(lines)))
    return drawn


def _later(low: int, high: int, random: Random) -> int:
    return low + int((high - low) * random.random())
