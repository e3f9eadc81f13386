"""The console of a cluster that may be broken; the people in front of it live elsewhere.

They log in to Django's test database, on the stack, while the console asks a throwaway cluster.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from sharding.django.console import traffic, views
from sharding.django.console.inspecting import Inspector
from shop.accounts.models import User
from tests import throwaway
from tests.native import native
from tests.throwaway import Throwaway

Page = Callable[..., str]


@pytest.fixture(scope="session")
@native("starts a Citus cluster of its own")
def citus() -> Iterator[Throwaway]:
    settings = {"citus.stat_tenants_track": "'all'"}
    with throwaway.cluster(spare=1, settings=settings) as made:
        yield made


@pytest.fixture
def forget() -> Callable[[], None]:
    """Let the next page ask the cluster anew."""

    def forget() -> None:
        views._last = None
        views._inspector = Inspector()

    return forget


@pytest.fixture
def page(
    citus: Throwaway, sam: User, settings: Any, forget: Callable[[], None]
) -> Callable[..., str]:
    """Open a page of the console as an admin; return its text."""
    settings.SHARD_MONITOR_DSN = citus.dsn
    cache.delete(traffic.KEY)
    client = Client()
    client.force_login(sam)

    def open_page(path: str = "", *, status: int = 200) -> str:
        forget()
        response = client.get(f"/shards/{path}")
        assert response.status_code == status
        return response.content.decode()

    return open_page
