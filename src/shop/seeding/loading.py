"""Settles names and ids with the database, and copies lines into it."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO

from django.db import connections
from django.utils.text import slugify

from shop.accounts.models import Identity, User
from shop.catalog.bulk import category_paths, with_ancestors
from shop.catalog.models import Category, Product
from shop.seeding import drawing, tables
from shop.seeding.goods import KINDS
from shop.seeding.lines import Lines
from shop.seeding.names import unclaimed
from shop.seeding.people import DOMAINS
from shop.seeding.plan import Plan
from shop.seeding.tables import Table
from shop.seeding.text import stamp
from shop.seeding.world import World

# Ids from here on were given by a worker's own sequence (its group id in the upper 16 bits).
WORKER_IDS = 1 << 48
ASK_FOR = 1_000  # names in one query

# Sequences are not transactional: nobody else is given these ids from now on.
RESERVE = """
SELECT setval(sequence, GREATEST(nextval(sequence), %s))
FROM CAST(pg_get_serial_sequence(%s, 'id') AS regclass) AS sequence
"""


class Loader:
    """Writes through one connection, inside the caller's transaction."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.counts: Counter[Table] = Counter()

    def has(self, plan: Plan) -> bool:
        """Tell whether this plan's seed left its first product or its first user here."""
        (product,), (person,) = drawing.products(plan, 1), drawing.people(plan, 1)
        return (
            Product.objects.using(self.using).filter(created_at=stamp(product.at)).exists()
            or User.objects.using(self.using).for_user(person.id).exists()
        )

    def settle(self, world: World) -> None:
        """Give the world names and ids that are free here, and write its categories."""
        self._name_people(world)
        if world.products:
            self._name_products(world)
            world.first_product_id = self._reserve(Product, len(world.products))
            world.category_ids = self._categories(world.plan)

    def copy(self, lines: Lines) -> None:
        """Write these lines, table by table in the order of their foreign keys."""
        connection = connections[self.using]
        for table in tables.TABLES:
            if some := lines.get(table):
                with connection.cursor() as cursor, connection.wrap_database_errors:
                    cursor.copy_expert(table.copy, StringIO("".join(some)))
                self.counts[table] += len(some)

    def _name_people(self, world: World) -> None:
        wanted = [f"{one.first_name}.{one.last_name}".lower() for one in world.people]
        names = unclaimed(wanted, mark=f"s{world.plan.seed}", taken=self._taken_usernames)
        for person, name in zip(world.people, names, strict=True):
            person.username = name

    def _name_products(self, world: World) -> None:
        wanted = [slugify(one.name, allow_unicode=True) for one in world.products]
        names = unclaimed(wanted, mark=f"s{world.plan.seed}", taken=self._taken_slugs)
        for product, name in zip(world.products, names, strict=True):
            product.slug = name

    def _taken_usernames(self, names: list[str]) -> set[str]:
        """Return the names of which somebody has the username or an address at our domains."""
        claims = {Identity.name_of("username", name): name for name in names}
        for domain in DOMAINS:
            claims |= {Identity.name_of("email", f"{name}@{domain}"): name for name in names}
        rows = Identity.objects.using(self.using).cross_shard()
        return {
            claims[value]
            for some in _batches(list(claims))
            for value in rows.filter(value__in=some).values_list("value", flat=True)
        }

    def _taken_slugs(self, slugs: list[str]) -> set[str]:
        rows = Product.objects.using(self.using)
        return {
            slug
            for some in _batches(slugs)
            for slug in rows.filter(slug__in=some).values_list("slug", flat=True)
        }

    def _categories(self, plan: Plan) -> list[int]:
        """Return the id of each kind's category; those that are missing are written."""
        ids = category_paths(using=self.using)
        wanted = with_ancestors(kind.path for kind in KINDS)
        missing = [path for path in wanted if path not in ids]
        at = stamp(plan.start)
        first = self._reserve(Category, len(missing)) if missing else 0
        lines = []
        for number, path in enumerate(missing, start=first):
            ids[path] = number
            above = [str(ids[path[:depth]]) for depth in range(1, len(path))]
            parent = above[-1] if above else "\\N"
            lines.append(f"{number}\t{path[-1]}\t{parent}\t{{{','.join(above)}}}\t{at}\t{at}\n")
        self.copy({tables.CATEGORY: lines})
        return [ids[kind.path] for kind in KINDS]

    def _reserve(self, model: type[Category] | type[Product], count: int) -> int:
        """Keep so many ids behind the largest one for us; return the first of them.

        Counting from the rows, not from the sequence, gives the same ids again after an attempt
        that was undone.
        """
        table = model._meta.db_table
        with connections[self.using].cursor() as cursor:
            cursor.execute(
                f"SELECT COALESCE(max(id), 0) + 1 FROM {table} WHERE id < %s",  # noqa: S608
                [WORKER_IDS],
            )
            (first,) = cursor.fetchone()
            cursor.execute(RESERVE, [first + count - 1, table])
        return int(first)


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + ASK_FOR] for start in range(0, len(names), ASK_FOR))
