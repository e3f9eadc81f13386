"""The databases of both services, once; what is in them, anew for each test."""

from collections.abc import Iterator

import pytest

from docs.examples.services import events
from docs.examples.services.stack import Stack, stack
from shop.config.settings import REDIS_URL, env
from tests.integration.services_example.shop import Shop
from tests.native import native


@pytest.fixture(scope="package")
@native("starts the example's own services")
def made() -> Iterator[Stack]:
    with stack(env.str("DATABASE_ADMIN_URL"), REDIS_URL) as made:
        yield made


@pytest.fixture
def shop(made: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(events, "WAIT", 1)
    yield Shop(made)
    for service, tables in ((made.products, "product"), (made.orders, "known_product, customer")):
        aside = "outbox, inbox, dead_letter"
        own = f"TRUNCATE {tables}, {aside} RESTART IDENTITY CASCADE"
        service.database.run(own)
    made.products.database.run("TRUNCATE reservation")
    made.redis.delete(*made.streams)
