"""These tests need Citus: without it they are skipped, and nothing about sharding is shown."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.conftest import has_citus

REASON = "Citus is not installed for this PostgreSQL: NOTHING ABOUT SHARDING HAS BEEN SHOWN"


@pytest.fixture(autouse=True, scope="session")
def _citus(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        if not has_citus():
            pytest.skip(REASON)


@pytest.fixture
def workers(db: None) -> list[tuple[str, int]]:
    """Host and port of each worker."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY 2")
        return list(cursor.fetchall())


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], None]]:
    """Send all that follows to another node. Only what is committed can be seen there."""
    original = connections["default"]
    opened: list[BaseDatabaseWrapper] = []

    def switch(host: str, port: int) -> None:
        node = original.copy("default")
        node.settings_dict = {**original.settings_dict, "HOST": host, "PORT": port}
        opened.append(node)
        connections["default"] = node

    yield switch
    for node in opened:
        node.close()
    connections["default"] = original
