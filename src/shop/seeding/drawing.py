"""Draws the people and the products of the made-up shop. No database is involved."""

from dataclasses import dataclass
from math import exp, log
from random import Random

from shop.seeding.goods import CLOSINGS, DETAILS, KINDS, MAKERS, OPENINGS, Kind
from shop.seeding.people import DOMAINS, FIRST_NAMES, LAST_NAMES
from shop.seeding.plan import DAY, HISTORY, Plan
from shop.seeding.text import uuid7

ENDINGS = (99, 95, 90, 50, 0)  # cents


@dataclass(slots=True)
class Product:
    """A product to be: `at` is when it was added, `kind` an index of goods.KINDS."""

    at: int
    kind: int
    name: str
    description: str
    cents: int
    spare: int  # units that are on the shelf beyond what is sold
    slug: str = ""


@dataclass(slots=True)
class Person:
    """A user to be: `at` is when they registered."""

    at: int
    id: str
    first_name: str
    last_name: str
    domain: str
    username: str = ""


def products(plan: Plan, count: int | None = None) -> list[Product]:
    """Return the products; the first ones are the same however many there are."""
    random = plan.stream("products")
    return [_product(plan, random) for _ in range(plan.products if count is None else count)]


def people(plan: Plan, count: int | None = None) -> list[Person]:
    """Return the users; the first ones are the same however many there are."""
    random = plan.stream("users")
    return [_person(plan, random) for _ in range(plan.users if count is None else count)]


def _product(plan: Plan, random: Random) -> Product:
    index = random.randrange(len(KINDS))
    kind = KINDS[index]
    maker, noun, quality = (
        random.choice(MAKERS),
        random.choice(kind.nouns),
        random.choice(kind.qualities),
    )
    name = f"{maker} {quality} {noun}"
    words = {"name": name, "maker": maker, "noun": noun.lower(), "quality": quality.lower()}
    parts = (random.choice(OPENINGS), random.choice(DETAILS), random.choice(CLOSINGS))
    return Product(
        # Most were there when the shop opened or soon after; none is younger than a month.
        at=plan.start + int((HISTORY - 30 * DAY) * random.random() ** 5),
        kind=index,
        name=name,
        description=" ".join(parts).format(use=kind.use, **words),
        cents=_price(kind, random),
        spare=_spare(random),
    )


def _price(kind: Kind, random: Random) -> int:
    """Return cents, spread evenly over the orders of magnitude, with a shop's last two digits."""
    whole = int(exp(random.uniform(log(kind.low), log(kind.high))))
    return whole * 100 + random.choice(ENDINGS)


def _spare(random: Random) -> int:
    """Return units: none for one product in sixteen, a handful for most, heaps for a few."""
    if random.random() < 1 / 16:
        return 0
    return min(5_000, int(12 * random.paretovariate(0.9)))


def _person(plan: Plan, random: Random) -> Person:
    # More come every month, the last on the day before the end.
    at = plan.start + int((HISTORY - DAY) * random.random() ** 0.9)
    return Person(
        at=at,
        id=uuid7(at, random),
        first_name=random.choice(FIRST_NAMES),
        last_name=random.choice(LAST_NAMES),
        domain=random.choice(DOMAINS),
    )
