"""Seeding: all in one transaction, so that a failure or Ctrl-C leaves nothing behind."""

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connections

from sharding.django.operations import SEQUENTIAL
from sharding.django.router import COORDINATOR
from sharding.django.transactions import atomic, on_commit
from shop.catalog import freshness
from shop.seeding.errors import AlreadySeeded, InProduction, Interfered
from shop.seeding.lines import portions
from shop.seeding.loading import Loader
from shop.seeding.plan import Plan
from shop.seeding.world import draw

# Known to everybody, so that anybody can log in as a made-up user; refused in production.
DEMO_PASSWORD = "shardmart-demo"  # noqa: S105


class Report(NamedTuple):
    """What was written: rows by table name, and how long it took in seconds."""

    rows: Mapping[str, int]
    seconds: float

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def rate(self) -> float:
        """Return rows per second."""
        return self.total / self.seconds


def seed(plan: Plan, *, advance: Callable[[int], object] = lambda done: None) -> Report:
    """Fill the store with the plan's rows, all or none.

    COPY goes straight to the coordinator where that alias exists. In Citus's sequential mode each
    worker gets one connection, through which reference and distributed tables can be written in
    one transaction; the other mode refuses that, and would open a connection per shard.

    Args:
        plan: what `Plan.problem` has nothing against.
        advance: told how many of plan.products + plan.users + plan.orders were done.

    Raises:
        InProduction: nobody's password may be known to everybody there.
        AlreadySeeded: rows of this seed are there; nothing was changed.
        Interfered: somebody registered or added a product meanwhile; nothing was changed.
    """
    if settings.PRODUCTION:
        raise InProduction(
            "ENVIRONMENT=production: made-up customers have a password that everybody knows. "
            "Nothing was changed; leave the store empty (SEED=off), or import a catalog."
        )
    using = COORDINATOR if COORDINATOR in settings.DATABASES else "default"
    began = perf_counter()
    world = draw(plan)
    # One salt for one seed: the same arguments give the same rows, down to this column.
    password = make_password(DEMO_PASSWORD, salt=f"shardmartseed{plan.seed:019d}")
    loader = Loader(using)
    try:
        with atomic(using=using):
            with connections[using].cursor() as cursor:
                cursor.execute(SEQUENTIAL)
            if loader.has(plan):
                raise AlreadySeeded(
                    f"This database was seeded with --seed {plan.seed} before. "
                    "Nothing was changed; choose another --seed to add to it."
                )
            loader.settle(world)
            for done, lines in portions(world, password):
                loader.copy(lines)
                advance(done)
            freshness.everything_changed(using=using)  # COPY goes past the models
    except IntegrityError as error:
        raise Interfered(
            f"Somebody else wrote to the store meanwhile ({str(error).splitlines()[0]}). "
            "Nothing was changed; try again."
        ) from error
    rows = {table.model._meta.db_table: count for table, count in loader.counts.items()}
    # Citus refuses it in a transaction that has written; a caller who holds one gets it afterwards.
    on_commit(lambda: _analyze(rows, using))
    return Report(rows, perf_counter() - began)


def _analyze(tables: Iterable[str], using: str) -> None:
    """Without statistics the planner takes the tables for small, and the indexes for useless."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")
